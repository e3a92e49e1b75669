"""AlpacaEval: win rates of 12 models over a baseline, and at equal length (Dubois et al., 2024)."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from whetstone.stats import mean
from whetstone.stats.correlation import spearman
from whetstone.stats.length_control import length_controlled_win_rate


@pytest.fixture(scope="module")
def decisions(recorded):
    """For each model: probability of winning, length of its answer and of the baseline's; NaN where not judged."""
    found: dict[str, list] = {}
    with gzip.open(recorded("alpaca_eval_decisions") / "decisions.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            won = float(row["preference"]) - 1 if row["preference"] else np.nan
            found.setdefault(row["model"], []).append((won, float(row["len_model"]), float(row["len_baseline"])))
    return {model: np.array(of) for model, of in found.items()}


@pytest.fixture(scope="module")
def published(recorded):
    with (recorded("alpaca_eval_decisions") / "leaderboard_subset.csv").open(encoding="utf-8", newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def test_win_rates_standard_errors_and_lengths(decisions, published) -> None:
    assert len(published) == len(decisions) == 12
    for model, row in published.items():
        won = decisions[model][:, 0]
        found = mean(100 * won[~np.isnan(won)])
        assert found.n == int(row["n_total"])
        assert found.value == pytest.approx(float(row["win_rate"]), abs=1e-6)
        assert found.stderr == pytest.approx(float(row["standard_error"]), abs=1e-6)
        judged = decisions[model][~np.isnan(won)]
        assert abs(judged[:, 1].mean() - int(row["avg_length"])) < (1 if found.n == 805 else 3)


def test_length_control_ranks_as_published(decisions, published) -> None:
    found = {}
    for model, table in decisions.items():
        known = table[~np.isnan(table[:, 0])]
        found[model] = length_controlled_win_rate(known[:, 0], known[:, 1], known[:, 2])
    ours = [100 * found[model].value for model in published]
    theirs = [float(row["length_controlled_winrate"]) for row in published.values()]
    assert spearman(ours, theirs).value > 0.9
    assert (
        found["gpt-3.5-turbo-1106_concise"].value
        > 1.5 * float(published["gpt-3.5-turbo-1106_concise"]["win_rate"]) / 100
    )
    assert all(f.interval[0] < f.value < f.interval[1] for f in found.values())
