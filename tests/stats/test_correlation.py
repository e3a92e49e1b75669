"""Correlations against another library and in simulations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.stats.correlation import item_level, kendall, pearson, spearman

EVERY = (pearson, spearman, kendall)


@pytest.mark.parametrize("statistic", EVERY)
def test_numbers_of_another_library(statistic) -> None:
    stored = json.loads(Path(__file__).with_name("agreement_reference.json").read_text(encoding="utf-8"))
    assert statistic(stored["x"], stored["y"]).value == pytest.approx(stored[statistic.__name__], abs=1e-12)
    assert statistic(stored["first"], stored["second"]).n == 40


@pytest.mark.parametrize("statistic", EVERY)
def test_intervals_cover(statistic) -> None:
    def simulate(seed: int, n: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return np.clip(np.round(3 + rng.normal(size=n) + 0.7 * rng.normal(size=(2, n))), 1, 5)

    truth, hits = statistic(*simulate(1, 300_000), rounds=2).value, 0
    for seed in range(300):
        low, high = statistic(*simulate(seed + 2, 60), rounds=600).interval
        hits += low <= truth <= high
    assert 0.92 <= hits / 300 <= 0.98


@pytest.mark.parametrize("statistic", EVERY)
def test_many_different_values_keep_an_interval_of_the_same_width(statistic) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=30_000)
    y = x + rng.normal(size=30_000)
    many, few = statistic(x, y), statistic(x[:900], y[:900])
    widths = [found.interval[1] - found.interval[0] for found in (many, few)]
    assert widths[1] / widths[0] == pytest.approx((30_000 / 900) ** 0.5, rel=0.35)
    assert many.value == pytest.approx(few.value, abs=0.05)


@pytest.mark.parametrize("statistic", EVERY)
def test_clusters_and_constants(statistic) -> None:
    rng = np.random.default_rng(4)
    x = np.repeat(rng.normal(size=50), 6)
    y = np.repeat(x[::6] + rng.normal(size=50), 6)
    narrow, wide = statistic(x, y).interval, statistic(x, y, groups=np.arange(300) // 6).interval
    assert wide[1] - wide[0] > 1.9 * (narrow[1] - narrow[0])
    assert statistic([1, 2, 3], [4, 4, 4]).value is None
    assert statistic([], []).n == 0


def test_order_within_items_is_not_order_across_them() -> None:
    """Hard items have low scores by both raters; within an item the second rater tells nothing."""
    rng = np.random.default_rng(8)
    level = 3 * rng.normal(size=(200, 1))
    first, second = level + rng.normal(size=(200, 5)), level + rng.normal(size=(200, 5))
    assert pearson(first.ravel(), second.ravel()).value > 0.8
    for statistic in ("pearson", "spearman", "kendall"):
        low, high = item_level(first, second, statistic=statistic).interval
        assert low < 0 < high
        assert item_level(first, 2 * first, statistic=statistic).value == pytest.approx(1)
    second[0] = 1.0
    first[1, 1:] = np.nan
    found = item_level(first, second)
    assert (found.n, found.note) == (198, "2 items without two different scores left out")
    with pytest.raises(ValueError, match="of one shape"):
        item_level(first, second[:5])
