"""Results as values, as text and as findings; and what importing them costs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

import whetstone.stats as stats
from whetstone.stats import Estimate, HypothesisTest, finding, mcnemar, wilson


def test_excludes_is_unknown_without_an_interval():
    assert Estimate(0.5, (0.4, 0.6), 9, 0.1, "t").excludes(0.3) is True
    assert Estimate(0.5, (0.4, 0.6), 9, 0.1, "t").excludes(0.4) is False
    assert Estimate(0.5, None, 1, None, "t").excludes(0.3) is None


def test_text_names_n_and_interval():
    assert str(wilson(7, 20)) == "0.35 (0.181 to 0.567, n=20)"
    assert str(wilson(0, 0)) == "unknown (no interval, n=0)"


def test_finding_keeps_estimate_null_and_counts():
    test = mcnemar([1, 1, 1, 0], [0, 0, 1, 1])
    found = finding("refine", test, verdict="undecided", tokens=12)
    assert (found.name, found.estimate, found.n, found.null, found.p) == ("refine", 0.25, 4, 0.0, test.p)
    assert found.detail == {"method": "mid-p McNemar", "tokens": 12, "wins": 2, "losses": 1, "ties": 1}
    assert finding("accuracy", wilson(0, 0)).detail["note"] == "no trials"
    assert finding("accuracy", wilson(1, 2)).null is None


def test_results_hold_plain_numbers():
    scores, correct = [0.1, 0.7, 0.4, 0.9, 0.5, 0.2], [0, 1, 0, 1, 0, 1]
    results = [
        stats.auroc_test(scores, correct),
        stats.ece_test(scores, correct, rounds=50),
        stats.paired_bootstrap(scores, correct, rounds=50),
        stats.paired_permutation(scores, correct),
        stats.auprc(scores, correct, rounds=50),
        stats.aurc(scores, correct, rounds=50),
        stats.excess_aurc(scores, correct, rounds=50),
        stats.pass_at_k([1, 2], 4, 2),
        stats.fit_platt(scores, correct),
        stats.fit_isotonic(scores, correct),
        stats.fit_temperature(scores, correct),
        stats.brier_parts(scores, correct),
    ]
    for result in results:
        json.dumps(asdict(result))
    assert isinstance(results[0], HypothesisTest)


def test_every_public_name_exists():
    assert sorted(stats.__all__) == sorted(set(stats.__all__))
    for name in stats.__all__:
        assert getattr(stats, name).__doc__


def test_importing_loads_no_submodule_of_scipy():
    code = "import sys, whetstone.stats; print(*(m for m in sys.modules if m in ('scipy.special', 'scipy.optimize')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("level", [0, 1, 95])
def test_impossible_levels_are_refused(level):
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=level)
