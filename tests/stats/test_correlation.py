"""Correlations against another library and in simulations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.stats.correlation import kendall, pearson, spearman

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
