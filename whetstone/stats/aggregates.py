"""Aggregates that few outliers or few runs do not fool: interquartile mean, performance profiles, improvement.

Scores are either [n], one for each item (items or their clusters are resampled), or [runs, tasks] (runs are resampled
within each task). Source of all: Agarwal et al., "Deep reinforcement learning at the edge of the statistical
precipice" (2021), and its package rliable. Percentile intervals of resampled runs are expanded for few runs, as in
Hesterberg, "What teachers should know about the bootstrap" (2015): plain ones are too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped
from whetstone.stats.bootstrap import CELLS, bootstrap
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import clustered_mean, proportion
from whetstone.stats.paired import paired_difference

MOST_THRESHOLDS = 101


@dataclass(frozen=True, eq=False)
class Profile:
    """Share of scores above each threshold, with a pointwise band (NaN where the spread is unknown).

    Attributes:
        thresholds: [t], ascending.
        share, low, high: [t].
        n: scores behind each share.
        method: how the band was made.
    """

    thresholds: Floats
    share: Floats
    low: Floats
    high: Floats
    n: int
    method: str


def interquartile_mean(
    scores: ArrayLike, *, groups: Groups | None = None, rounds: int = 2000, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Mean of the middle half of the scores: a quarter (rounded down) is cut off at either end.

    Args:
        scores: [n] or [runs, tasks].
        groups: [n] cluster of each item, for scores [n].
        rounds, level, seed: of the bootstrap interval.
    """
    array, codes = _scores(scores, groups)
    if array.ndim == 2:
        return _stratified(array, lambda draws: trimmed(draws.reshape(len(draws), -1)), rounds, level, seed)
    order = np.argsort(array, kind="stable")
    return bootstrap(
        lambda weights: weighted_trimmed(array[order], weights[:, order]),
        array.size,
        groups=codes,
        rounds=rounds,
        level=level,
        seed=seed,
    )


def task_median(scores: ArrayLike, *, rounds: int = 2000, level: float = 0.95, seed: int = 0) -> Estimate:
    """Median over tasks of each task's mean over runs; scores [runs, tasks]."""
    array = _matrix(scores)
    return _stratified(array, lambda draws: np.median(draws.mean(axis=1), axis=1), rounds, level, seed)


def optimality_gap(
    scores: ArrayLike,
    *,
    target: float = 1.0,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """By how much the scores fall short of `target` on average; what lies above it does not make up for it.

    Arguments are those of `interquartile_mean`; scores [n] get the (clustered) t interval.
    """
    array, codes = _scores(scores, groups)
    short = target - np.minimum(array, target)
    if array.ndim == 2:
        return _stratified(short, lambda draws: draws.mean(axis=(1, 2)), rounds, level, seed)
    return clustered_mean(short, codes, level=level)


def performance_profile(
    scores: ArrayLike,
    thresholds: ArrayLike | None = None,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Profile:
    """Share of scores above each threshold (strictly).

    Args:
        scores: [n] (Wilson's band, clustered if need be) or [runs, tasks] (stratified bootstrap band).
        thresholds: [t]; by default the distinct scores, or 101 quantiles of them where there are more.
        groups, rounds, level, seed: as in `interquartile_mean`.
    """
    array, codes = _scores(scores, groups)
    at = default_thresholds(array.ravel()) if thresholds is None else np.sort(floats(thresholds, "thresholds"))
    if array.ndim == 2:
        tails = _expanded(check_level(level) / 2, *array.shape)
        rng = np.random.default_rng(seed)
        draws = np.concatenate([_above(drawn.reshape(len(drawn), -1), at) for drawn in _redraw(array, rounds, rng)])
        low, high = np.full((2, at.size), np.nan) if tails is None else np.quantile(draws, tails, axis=0)
        return Profile(at, _above(array.reshape(1, -1), at)[0], low, high, array.size, "stratified bootstrap")
    found = [proportion(array > tau, groups=codes, level=level) for tau in at]
    limits = np.array([e.interval or (np.nan, np.nan) for e in found]).reshape(-1, 2)
    share = np.array([np.nan if e.value is None else e.value for e in found])
    return Profile(at, share, limits[:, 0], limits[:, 1], array.size, found[0].method if found else "wilson")


def default_thresholds(values: Floats) -> Floats:
    """The distinct values, or quantiles of them where there are more than 101."""
    distinct = np.unique(values)
    if distinct.size <= MOST_THRESHOLDS:
        return distinct
    return np.unique(np.quantile(values, np.linspace(0, 1, MOST_THRESHOLDS)))


def probability_of_improvement(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Probability that the treatment scores higher on a random item or task; a tie counts half, 0.5 is no difference.

    Args:
        treatment, baseline: [n] scores of the same items (a pair each), or [runs, tasks] and [other runs, tasks] (in
            each task, all pairs of runs: the Mann-Whitney statistic; then the mean over tasks).
        groups: [n] cluster of each item.
        rounds, level, seed: of the stratified bootstrap.
    """
    first, second = np.asarray(treatment), np.asarray(baseline)
    if first.ndim == 1:
        difference, _ = paired_difference(first, second)
        return proportion((np.sign(difference) + 1) / 2, groups=groups, level=level)
    left, right = _matrix(first), _matrix(second)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"numbers of tasks differ: treatment {left.shape[1]}, baseline {right.shape[1]}")
    ahead = (np.sign(left[:, None] - right[None]) + 1) / 2
    rng = np.random.default_rng(seed)

    def resampled(rows: int) -> Floats:
        shares = [_run_weights(runs, left.shape[1], rows, rng) for runs in (len(left), len(right))]
        return np.asarray(np.einsum("rit,ijt,rjt->rt", shares[0], ahead, shares[1], optimize=True).mean(axis=1))

    draws = np.concatenate([resampled(rows) for rows in _blocks(rounds, left.size + right.size)])
    runs = min(len(left), len(right))
    return _estimate(float(ahead.mean()), draws, left.size + right.size, (runs, left.shape[1]), level)


def trimmed(values: Floats) -> Floats:
    """Mean [rows] of the middle half of each row of values [rows, n]."""
    cut = values.shape[1] // 4
    middle = np.partition(values, (cut, values.shape[1] - cut - 1), axis=1)[:, cut : values.shape[1] - cut]
    return np.asarray(middle.mean(axis=1))


def weighted_trimmed(values: Floats, weights: Floats) -> Floats:
    """Mean [rows] of the middle half of ascending values [n], each as often as its weight [rows, n] says."""
    reached = np.cumsum(weights, axis=1)
    total = reached[:, -1:]
    cut = np.floor(total / 4)
    kept = np.minimum(reached, total - cut) - np.maximum(reached - weights, cut)
    return np.asarray(np.maximum(kept, 0) @ values / (total - 2 * cut)[:, 0])


def _scores(scores: ArrayLike, groups: Groups | None) -> tuple[Floats, Codes | None]:
    if np.ndim(scores) == 2:
        if groups is not None:
            raise ValueError("groups are for scores [n]; in scores [runs, tasks] the tasks are the strata")
        return _matrix(scores), None
    array = floats(scores, "scores")
    codes = clusters(groups, array.size)
    return array, codes if grouped(codes) else None


def _matrix(scores: ArrayLike) -> Floats:
    array = np.asarray(scores)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"scores must be [runs, tasks] with at least one of each, not of shape {array.shape}")
    return floats(array.ravel(), "scores").reshape(array.shape)


def _stratified(array: Floats, statistic: Callable[[Floats], Floats], rounds: int, level: float, seed: int) -> Estimate:
    """A statistic of [rows, runs, tasks] with an interval from runs redrawn within each task."""
    draws = np.concatenate([statistic(d) for d in _redraw(array, rounds, np.random.default_rng(seed))])
    return _estimate(float(statistic(array[None])[0]), draws, array.size, (len(array), array.shape[1]), level)


def _estimate(value: float, draws: Floats, n: int, shape: tuple[int, int], level: float) -> Estimate:
    tails = _expanded(check_level(level) / 2, *shape)
    method = "stratified bootstrap"
    if tails is None:
        return Estimate(value, None, n, None, method, "a single run: the spread is unknown")
    if np.ptp(draws) <= 1e-12:
        return Estimate(value, None, n, None, method, "all resamples are equal: the spread is unknown")
    low, high = np.quantile(draws, tails)
    return Estimate(value, (float(low), float(high)), n, float(draws.std(ddof=1)), method)


def _expanded(tail: float, runs: int, tasks: int) -> tuple[float, float] | None:
    """Tail probabilities that make up for the resamples' too small variance; None for a single run."""
    if runs < 2:
        return None
    t = float(scipy.special.stdtrit(tasks * (runs - 1), tail))
    low = float(scipy.special.ndtr(t * np.sqrt(runs / (runs - 1))))
    return low, 1 - low


def _redraw(array: Floats, rounds: int, rng: np.random.Generator) -> Iterator[Floats]:
    tasks = np.arange(array.shape[1])
    for rows in _blocks(rounds, array.size):
        yield array[rng.integers(len(array), size=(rows, *array.shape)), tasks]


def _run_weights(runs: int, tasks: int, rows: int, rng: np.random.Generator) -> Floats:
    """How often [rows, runs, tasks] each run is drawn within each task, as a share."""
    drawn = rng.integers(runs, size=(rows, tasks, runs)) + runs * np.arange(rows * tasks).reshape(rows, tasks, 1)
    counts = np.bincount(drawn.ravel(), minlength=rows * tasks * runs).reshape(rows, tasks, runs)
    return np.asarray(counts.transpose(0, 2, 1) / runs)


def _blocks(rounds: int, size: int) -> Iterator[int]:
    most = max(1, CELLS // size)
    yield from (min(most, rounds - start) for start in range(0, rounds, most))


def _above(rows: Floats, thresholds: Floats) -> Floats:
    """Share [rows, thresholds] of each row of values above each threshold."""
    ordered = np.sort(rows, axis=1)
    counts = np.stack([ordered.shape[1] - np.searchsorted(row, thresholds, side="right") for row in ordered])
    return np.asarray(counts / ordered.shape[1])
