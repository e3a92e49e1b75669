"""Assertions that grade as a person does."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.assertion_selection import assertion_selection
from whetstone.core.errors import ConfigError


def graded(seed: int, n: int):
    """A grader who wants outputs to be short and polite, and candidate assertions of three criteria."""
    rng = np.random.default_rng(seed)
    short, polite, blue = (rng.random(n) < share for share in (0.7, 0.8, 0.5))
    assertions = {
        "is short": short,
        "is short, sloppily": np.where(rng.random(n) < 0.3, ~short, short),
        "is polite": np.where(rng.random(n) < 0.03, ~polite, polite),
        "is blue": blue,
        "never passes": np.zeros(n, bool),
        "always passes": np.ones(n, bool),
    }
    criteria = {name: name.split(",")[0] for name in assertions}
    return assertions, (short & polite).tolist(), criteria


def test_recovers_the_rules_of_a_simulated_grader() -> None:
    assertions, grades, criteria = graded(1, 300)
    found = {f.name: f for f in assertion_selection(assertions, grades, criteria=criteria)}
    assert found["alignment"].verdict == "keeps is short, is polite"
    assert found["alignment"].estimate > 0.93
    assert found["coverage"].interval[0] > 0.85
    assert found["false_failure"].interval[1] < 0.15
    kept = {name for name, f in found.items() if f.verdict == "kept"}
    assert kept == {"coverage is short", "coverage is polite"}
    assert found["coverage never passes"].detail["false_failure"] == 1
    lucky = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        noise = {str(i): rng.random(100) < 0.9 for i in range(5)}
        result = {f.name: f for f in assertion_selection(noise, (rng.random(100) < 0.5).tolist(), seed=seed)}
        lucky += result["alignment"].estimate > 0.6
    assert lucky <= 3, "on held-out outputs no set of coins looks aligned"


def test_drift_is_seen() -> None:
    assertions, grades, _ = graded(2, 120)
    stricter = [grade and i % 4 != 0 for i, grade in enumerate(grades)]
    drift = assertion_selection(assertions, stricter, earlier=[*grades[:100], *[None] * 20])[-1]
    assert (drift.name, drift.verdict, drift.n) == ("drift", "became stricter", 100)
    same = assertion_selection(assertions, grades, earlier=grades)[-1]
    assert (same.estimate, same.verdict) == (0, "no change of strictness found")


def test_ungraded_outputs_do_not_count_and_grades_are_needed() -> None:
    assertions, grades, _ = graded(3, 80)
    partly = [*grades[:60], *[None] * 20]
    assert next(f for f in assertion_selection(assertions, partly) if f.name == "alignment").n <= 31
    with pytest.raises(ConfigError, match="grade more"):
        assertion_selection(assertions, [True] * 80)
    with pytest.raises(ConfigError, match="result for each"):
        assertion_selection({"short": [True]}, grades)
