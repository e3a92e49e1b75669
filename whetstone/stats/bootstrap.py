"""Bootstrap intervals, by items or by clusters, vectorised and seeded.

Resampling n items is the same as giving them multinomial weights that sum to n, so a statistic is a function of a
weight matrix: one row per resample, one column per item. Clusters are resampled by giving all their items one
weight. For means there is a faster way, which draws how often each distinct value occurs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped
from whetstone.stats.estimate import Estimate

Interval = Literal["percentile", "bca"]
CELLS = 1 << 20  # resampled items held in memory at once


def bootstrap(
    statistic: Callable[[Floats], Floats],
    n: int,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    interval: Interval = "percentile",
    seed: int = 0,
) -> Estimate:
    """Any statistic with a bootstrap interval.

    Args:
        statistic: maps weights [rounds, n] (how often each item was drawn) to values [rounds]; NaN where undefined.
        n: number of items.
        groups: [n] cluster of each item; clusters are resampled whole.
        rounds: number of resamples.
        level: confidence level.
        interval: "percentile" (expanded for the number of units) or "bca" (n more evaluations of the statistic).
        seed: same seed, same interval.

    Resamples in which the statistic is undefined are left out and counted in the note.

    Source: Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapters 13, 14; expansion:
    Hesterberg, "What teachers should know about the bootstrap" (2015).
    """
    tail = check_level(level) / 2
    codes = clusters(groups, n)
    method = f"{'cluster ' if grouped(codes) else ''}bootstrap {interval}"
    if n == 0:
        return Estimate(None, None, 0, None, method, "no values")
    units = int(codes.max()) + 1
    value = float(statistic(np.ones((1, n)))[0])
    if math.isnan(value):
        return Estimate(None, None, n, None, method, "undefined on these data")
    rng = np.random.default_rng(seed)
    draws = np.concatenate([statistic(weights) for weights in resamples(codes, units, rounds, rng)])
    left_out = (
        np.concatenate([statistic(weights) for weights in leave_one_out(codes, units)]) if interval == "bca" else None
    )
    return from_draws(value, draws, left_out, n, units, tail, method)


def bootstrap_mean(
    values: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    interval: Interval = "percentile",
    seed: int = 0,
) -> Estimate:
    """The mean of `values` [n] with a bootstrap interval; the other arguments are those of `bootstrap`."""
    array = floats(values)
    tail = check_level(level) / 2
    codes = clusters(groups, array.size)
    method = f"{'cluster ' if grouped(codes) else ''}bootstrap {interval}"
    if not array.size:
        return Estimate(None, None, 0, None, method, "no values")
    sums, sizes = np.bincount(codes, array).astype(float), np.bincount(codes).astype(float)
    draws = mean_draws(sums, sizes, rounds, np.random.default_rng(seed))
    left_out = None
    if interval == "bca" and sums.size > 1:
        left_out = (sums.sum() - sums) / (sizes.sum() - sizes)
    return from_draws(float(array.mean()), draws, left_out, array.size, sums.size, tail, method)


def mean_draws(sums: Floats, sizes: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    """Bootstrap draws [rounds] of sum(sums) / sum(sizes), resampling units of these sums and sizes."""
    units = sums.size
    pairs, counts = np.unique(np.stack([sums, sizes]), axis=1, return_counts=True)
    if counts.size * 16 <= units:
        totals = rng.multinomial(units, counts / units, size=rounds) @ pairs.T
        return np.asarray(totals[:, 0] / totals[:, 1])
    equal = bool((sizes == sizes[0]).all())
    out = np.empty(rounds)
    chunk = max(1, CELLS // units)
    for start in range(0, rounds, chunk):
        rows = min(chunk, rounds - start)
        drawn = rng.integers(units, size=(rows, units))
        total = units * sizes[0] if equal else sizes.take(drawn).sum(axis=1)
        out[start : start + rows] = sums.take(drawn).sum(axis=1) / total
    return out


def joint_mean_draws(values: Floats, codes: Codes, rounds: int, rng: np.random.Generator) -> Floats:
    """Bootstrap draws [rounds, k] of the means of values [n, k]: each resample is the same items for every column."""
    units = int(codes.max()) + 1
    if units == codes.size:
        pieces = [weights @ values / len(values) for weights in resamples(codes, units, rounds, rng)]
    else:
        sums = np.stack([np.bincount(codes, column) for column in values.T], axis=1)
        sizes = np.bincount(codes).astype(float)
        pieces = [
            weights @ sums / (weights @ sizes)[:, None] for weights in resamples(np.arange(units), units, rounds, rng)
        ]
    return np.concatenate(pieces)


def resamples(codes: Codes, units: int, rounds: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Weights [rows, n] of `rounds` resamples, in blocks of rows that fit in memory."""
    chunk = max(1, CELLS // codes.size)
    for start in range(0, rounds, chunk):
        rows = min(chunk, rounds - start)
        drawn = rng.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
        yield counts if units == codes.size else counts[:, codes]


def leave_one_out(codes: Codes, units: int) -> Iterator[Floats]:
    """Weights [rows, n] that leave out one unit per row."""
    chunk = max(1, CELLS // codes.size)
    for start in range(0, units, chunk):
        left = np.arange(start, min(start + chunk, units))
        yield (codes[None, :] != left[:, None]).astype(float)


def from_draws(
    value: float, draws: Floats, left_out: Floats | None, n: int, units: int, tail: float, method: str
) -> Estimate:
    """An estimate from bootstrap draws [rounds]; a BCa interval if jackknife values [units] are given."""
    defined = draws[~np.isnan(draws)]
    note = f"undefined in {draws.size - defined.size} of {draws.size} resamples" if defined.size < draws.size else ""
    if units < 2 or defined.size < 2 or float(np.ptp(defined)) <= 1e-12 * float(np.abs(defined).max()):
        why = "a single unit to resample" if units < 2 else "all resamples are equal"
        return Estimate(value, None, n, None, method, f"{why}: the spread is unknown")
    tails: tuple[float, float] | None
    if left_out is None:
        tails = expanded(tail, units)
    else:
        tails = bca_tails(value, defined, left_out, tail)
    limits = None
    if tails is None:
        note = "bias correction undefined: the value lies outside of its resamples"
    else:
        low, high = np.quantile(defined, tails)
        limits = (float(low), float(high))
    return Estimate(value, limits, n, float(defined.std(ddof=1)), method, note)


def on_scale(estimate: Estimate, scale: Literal["log", "logit"], freedom: float, level: float) -> Estimate:
    """The estimate with a t interval of its bootstrap stderr, made on a scale on which it is less skewed."""
    value, stderr = estimate.value, estimate.stderr
    tail = check_level(level) / 2
    if not value or not stderr or (scale == "logit" and value >= 1):
        return replace(estimate, interval=None, note=estimate.note or "at the edge of its range: the spread is unknown")
    t = scipy.special.stdtrit(max(1.0, freedom), [tail, 1 - tail])
    if scale == "log":
        low, high = value * np.exp(t * stderr / value)
    else:
        low, high = scipy.special.expit(scipy.special.logit(value) + t * stderr / (value * (1 - value)))
    return replace(estimate, interval=(float(low), float(high)), method=estimate.method.replace("percentile", scale))


def expanded(tail: float, units: int) -> tuple[float, float]:
    """Tail probabilities that widen a percentile interval to what t and n/(n-1) would give for a mean."""
    low = float(scipy.special.ndtr(math.sqrt(units / (units - 1)) * scipy.special.stdtrit(units - 1, tail)))
    return low, 1 - low


def bca_tails(value: float, draws: Floats, left_out: Floats, tail: float) -> tuple[float, float] | None:
    """Tail probabilities of the bias-corrected and accelerated interval (Efron and Tibshirani 1993, 14.10)."""
    share = (np.count_nonzero(draws < value) + np.count_nonzero(draws == value) / 2) / draws.size
    if not 0 < share < 1:
        return None
    bias = scipy.special.ndtri(share)
    gaps = left_out[~np.isnan(left_out)]
    gaps = gaps.mean() - gaps
    spread = float((gaps**2).sum())
    acceleration = float((gaps**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + scipy.special.ndtri([tail, 1 - tail])
    low, high = scipy.special.ndtr(bias + z / (1 - acceleration * z))
    return float(low), float(high)
