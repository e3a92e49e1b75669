"""The difference of two rank correlations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from whetstone.stats.correlation_difference import correlation_difference


def test_is_the_difference_of_spearman_s_rho_and_finds_the_closer_score() -> None:
    rng = np.random.default_rng(0)
    truth = np.round(rng.normal(size=120), 1)
    close, far = truth + 0.5 * rng.normal(size=120), truth + 3 * rng.normal(size=120)
    test = correlation_difference(close, far, truth, rounds=400)
    assert test.effect.value == pytest.approx(spearmanr(close, truth).statistic - spearmanr(far, truth).statistic)
    assert test.effect.interval[0] > 0.2
    assert test.p < 0.01
    assert correlation_difference(close, close, truth, rounds=50).p == 1
    assert correlation_difference(np.zeros(120), far, truth, rounds=50).effect.value < 0, "a constant is uncorrelated"


def test_covers_nothing_where_both_are_as_close() -> None:
    found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=60)
        one, two = (truth + rng.normal(size=60) for _ in range(2))
        found += correlation_difference(one, two, truth, groups=[i // 2 for i in range(60)], rounds=200).p < 0.05
    assert found <= 7


def test_no_items_and_lengths_that_differ() -> None:
    assert correlation_difference([], [], []).effect.value is None
    with pytest.raises(ValueError, match="lengths differ"):
        correlation_difference([1.0], [1.0, 2.0], [1.0, 2.0])
