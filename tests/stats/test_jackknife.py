"""The delete-a-group jackknife against a formula, and its coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from whetstone.stats import clustered_mean, mean
from whetstone.stats.jackknife import jackknife


def test_leaving_out_single_items_gives_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(1).gamma(2, 1, 30)
    found = jackknife(lambda items: float(values[items].mean()), 30, blocks=30)
    assert found.value == pytest.approx(values.mean())
    assert found.stderr == pytest.approx(mean(values).stderr)
    assert found.interval == pytest.approx(mean(values).interval)


def test_intervals_of_a_ratio_cover() -> None:
    hits = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        x, y = rng.gamma(4, 1, 200), rng.gamma(8, 1, 200)
        low, high = jackknife(lambda items, x=x, y=y: float(x[items].mean() / y[items].mean()), 200).interval
        hits += low < 0.5 < high
    assert 0.92 <= hits / 400 <= 0.98


def test_clusters_stay_whole() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=40), 5)
    groups = (np.arange(200) // 5).tolist()
    found = jackknife(lambda items: float(values[items].mean()), 200, groups=groups, blocks=40)
    assert found.stderr == pytest.approx(clustered_mean(values, groups).stderr, rel=0.02)


def test_what_has_no_spread_is_unknown() -> None:
    assert jackknife(lambda items: 1.0, 10).interval is None
    assert jackknife(lambda items: math.nan, 10).value is None
    assert jackknife(lambda items: 1.0, 0).n == 0
    assert jackknife(lambda items: 1.0, 1).note == "a single unit: the spread is unknown"
