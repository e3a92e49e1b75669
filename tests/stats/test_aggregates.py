"""Robust aggregates: against rliable, in closed form, and their intervals in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    task_median,
)
from whetstone.stats.aggregates import trimmed, weighted_trimmed


def test_aggregates_agree_with_rliable(comparison):
    known, data = comparison["rliable"], comparison["data"]
    runs, others = np.array(data["runs"]), np.array(data["others"])
    assert interquartile_mean(runs).value == pytest.approx(known["interquartile_mean"], rel=1e-12)
    assert interquartile_mean(runs.ravel()).value == pytest.approx(known["interquartile_mean"], rel=1e-12)
    assert task_median(runs).value == pytest.approx(known["median"], rel=1e-12)
    assert optimality_gap(runs).value == pytest.approx(known["optimality_gap"], rel=1e-12)
    assert probability_of_improvement(runs, others).value == pytest.approx(known["probability_of_improvement"])
    profile = performance_profile(runs, known["thresholds"])
    assert profile.share == pytest.approx(known["profile"], rel=1e-12)
    assert performance_profile(runs.ravel(), known["thresholds"]).share == pytest.approx(known["profile"])


def test_closed_forms():
    assert interquartile_mean([1, 2, 3, 4]).value == 2.5
    assert interquartile_mean([0, 0, 0, 1000]).value == 0
    assert interquartile_mean(np.arange(8.0)).value == 3.5
    assert interquartile_mean([5]).value == 5
    assert optimality_gap([0.5, 2.0]).value == 0.25
    assert probability_of_improvement([1, 2, 3], [0, 2, 5]).value == 0.5
    assert probability_of_improvement([[1.0, 2.0]], [[1.0, 2.0]]).value == 0.5
    assert probability_of_improvement([[1.0], [2.0]], [[0.0], [2.0]]).value == (1 + 0 + 1 + 0.5) / 4


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_weights_are_repetitions(values, weights):
    ordered = np.sort(np.array(values, float))
    times = np.array(weights[: ordered.size])
    if times.sum():
        repeated = np.repeat(ordered, times)
        assert weighted_trimmed(ordered, times[None].astype(float)) == pytest.approx(trimmed(repeated[None]))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.5, 3), st.floats(-2, 2))
def test_scale_and_shift_carry_over(values, scale, shift):
    array = np.array(values)
    plain, moved = interquartile_mean(array, rounds=50), interquartile_mean(scale * array + shift, rounds=50)
    assert moved.value == pytest.approx(scale * plain.value + shift, abs=1e-9)


def test_profiles_fall_and_their_bands_hold_them():
    rng = np.random.default_rng(1)
    for scores in (rng.normal(size=300), rng.normal(size=(6, 20)), rng.integers(1, 11, 500)):
        found = performance_profile(scores)
        assert (np.diff(found.share) <= 0).all()
        assert (found.low <= found.share + 1e-9).all()
        assert (found.share <= found.high + 1e-9).all()
        assert found.n == scores.size
    assert performance_profile(rng.normal(size=5000)).thresholds.size == 101
    assert list(performance_profile([1, 1, 3]).thresholds) == [1, 3]


def test_clusters_widen_the_band():
    rng = np.random.default_rng(2)
    values = np.repeat(rng.random(40), 5)
    groups = np.repeat(np.arange(40), 5)
    alone, together = performance_profile(values, [0.5]), performance_profile(values, [0.5], groups=groups)
    assert together.high[0] - together.low[0] > 1.8 * (alone.high[0] - alone.low[0])
    wide, narrow = interquartile_mean(values, groups=groups), interquartile_mean(values)
    assert wide.stderr > 1.8 * narrow.stderr


def covered(draw, truth, times):
    rng = np.random.default_rng(9)
    intervals = [draw(rng).interval for _ in range(times)]
    return np.mean([low <= truth <= high for low, high in intervals])


def in_runs(rng, runs, tasks):
    """Scores whose level differs between tasks, symmetric around 0 in all."""
    return np.linspace(-1, 1, tasks) + rng.normal(size=(runs, tasks))


CASES = {
    "interquartile mean of items": (lambda r: interquartile_mean(r.normal(size=60), rounds=300), 0),
    "interquartile mean of runs": (lambda r: interquartile_mean(in_runs(r, 5, 8), rounds=300), 0),
    "median of tasks": (lambda r: task_median(in_runs(r, 5, 9), rounds=300), 0),
    "improvement over items": (
        lambda r: probability_of_improvement(r.integers(0, 4, 50), r.integers(0, 4, 50)),
        0.5,
    ),
    "improvement over runs": (
        lambda r: probability_of_improvement(in_runs(r, 5, 6), in_runs(r, 5, 6), rounds=300),
        0.5,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_intervals_cover(name):
    assert covered(*CASES[name], times=300) >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_cover_in_many_draws(name):
    assert 0.93 <= covered(*CASES[name], times=3000) <= 0.99  # medians and few distinct values: cautious


def test_a_single_run_has_no_spread():
    for found in (interquartile_mean([[1.0, 2.0]]), task_median([[1.0, 2.0]])):
        assert found.interval is None
        assert "single run" in found.note
    assert np.isnan(performance_profile([[1.0, 2.0]]).low).all()


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="tasks are the strata"):
        interquartile_mean([[1.0, 2.0]], groups=[0])
    with pytest.raises(ValueError, match="numbers of tasks differ"):
        probability_of_improvement([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ValueError, match="at least one of each"):
        task_median(np.zeros((0, 3)))
    assert interquartile_mean([]).value is None
