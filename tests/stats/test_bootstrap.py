"""Bootstrap intervals: against scipy, against the fast way for means, by clusters, and where they are unknown."""

from __future__ import annotations

import time

import numpy as np
import pytest

from whetstone.stats import bootstrap, bootstrap_mean, mean


def weighted_mean(values):
    array = np.asarray(values)
    return lambda weights: weights @ array / weights.sum(axis=1)


def test_bca_agrees_with_scipy(reference, data):
    found = bootstrap_mean(data["values"], interval="bca", rounds=40_000)
    assert found.interval == pytest.approx(reference["bootstrap_mean"]["bca"], abs=0.01)


def test_percentile_is_scipys_expanded_for_few_items(reference, data):
    low, high = reference["bootstrap_mean"]["percentile_not_expanded"]
    found = bootstrap_mean(data["values"], rounds=40_000)
    centre = np.mean(data["values"])
    assert (found.interval[1] - found.interval[0]) / (high - low) == pytest.approx(1.03, abs=0.01)
    assert found.value == pytest.approx(centre)
    assert found.stderr == pytest.approx(mean(data["values"]).stderr, rel=0.02)


@pytest.mark.parametrize("interval", ["percentile", "bca"])
@pytest.mark.parametrize("grouped", [False, True])
def test_any_statistic_agrees_with_the_fast_mean(data, interval, grouped):
    groups = data["groups"] if grouped else None
    options = {"groups": groups, "rounds": 20_000, "interval": interval}
    slow = bootstrap(weighted_mean(data["values"]), len(data["values"]), **options)
    fast = bootstrap_mean(data["values"], **options)
    assert slow.interval == pytest.approx(fast.interval, abs=0.02)
    assert slow.method == fast.method


def test_few_distinct_values_are_drawn_as_counts():
    values = np.arange(600) % 3 == 0
    counted, drawn = bootstrap_mean(values, rounds=20_000), bootstrap(weighted_mean(values), 600, rounds=4000)
    assert counted.interval == pytest.approx(drawn.interval, abs=0.004)
    assert counted.stderr == pytest.approx(np.sqrt(2 / 9 / 600), rel=0.02)


def test_same_seed_same_interval(data):
    for function in (bootstrap_mean, lambda v, seed: bootstrap(weighted_mean(v), len(v), rounds=100, seed=seed)):
        first, again, other = (function(data["values"], seed=seed) for seed in (1, 1, 2))
        assert first == again
        assert first.interval != other.interval


def test_undefined_resamples_are_counted():
    def share_of_first(weights):
        return np.where(weights[:, 0] > 0, weights[:, 0] / weights.sum(axis=1), np.nan)

    found = bootstrap(share_of_first, 5, rounds=1000)
    left_out = int(found.note.split()[2])
    assert found.note.startswith("undefined in")
    assert left_out == pytest.approx(1000 * 0.8**5, abs=50)


def test_unknown_intervals_say_why():
    assert bootstrap_mean([]).note == "no values"
    assert bootstrap(weighted_mean([]), 0).value is None
    assert bootstrap_mean([2.0]).interval is None
    assert bootstrap_mean([2.0, 2.0]).note == "all resamples are equal: the spread is unknown"
    assert bootstrap_mean([1.0, 2.0], groups=["a", "a"]).note.startswith("a single unit")
    assert bootstrap_mean([1.0], interval="bca").interval is None
    undefined = bootstrap(lambda weights: np.full(len(weights), np.nan), 3)
    assert (undefined.value, undefined.note) == (None, "undefined on these data")


def test_ten_thousand_rounds_of_ten_thousand_items_are_fast():
    rng = np.random.default_rng(0)
    right, real = rng.random(10_000) < 0.5, rng.normal(size=10_000)
    seconds = []
    for values in (right, real):
        began = time.process_time()
        bootstrap_mean(values, rounds=10_000)
        seconds.append(time.process_time() - began)
    assert seconds[0] < 0.15
    assert seconds[1] < 3
