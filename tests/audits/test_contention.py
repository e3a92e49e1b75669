"""Accuracy by consensus of experts."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.contention import contention
from whetstone.core.errors import ConfigError

LETTERS = "ABCD"


def panel(seed: int, n: int, clear: float, contested: float):
    """Votes with a leading share of 0.8 or 0.4, and a model that is right with a probability for each."""
    rng = np.random.default_rng(seed)
    answers, votes = [], []
    for _ in range(n):
        agreed = rng.random() < 0.5
        order = [LETTERS[i] for i in rng.permutation(4)]
        shares = (0.8, 0.1, 0.05, 0.05) if agreed else (0.4, 0.3, 0.2, 0.1)
        votes.append(dict(zip(order, shares, strict=True)))
        right = rng.random() < (clear if agreed else contested)
        answers.append(order if right else [order[1], order[0], *order[2:]])
    return answers, votes


def test_accuracy_falls_with_contention_where_planted_and_not_elsewhere() -> None:
    found = {f.name: f for f in contention(*panel(1, 600, 0.9, 0.4))}
    assert found["accuracy clear"].estimate == pytest.approx(0.9, abs=0.05)
    assert found["accuracy contested"].estimate == pytest.approx(0.4, abs=0.06)
    assert found["gap"].interval[0] < 0.5 < found["gap"].interval[1]
    assert found["gap"].verdict == "follows consensus"
    assert (found["in top 1"].estimate, found["in top 2"].estimate) == (found["accuracy"].estimate, 1)
    assert found["consensus"].interval[0] > 0.3
    accused = sum(
        f.p < 0.05 for seed in range(200) for f in contention(*panel(seed, 80, 0.7, 0.7), top=1) if f.name == "gap"
    )
    assert accused <= 19


def test_ties_of_the_crowd_and_cases_without_votes() -> None:
    found = {f.name: f for f in contention([[" a"], []], [{"A": 2, "B": 2}, {"A": 1}])}
    assert found["accuracy"].estimate == 0.5
    assert found["votes_held"].estimate == 0.25
    with pytest.raises(ConfigError, match="needs votes"):
        contention([["A"]], [{}])
