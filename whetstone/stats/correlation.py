"""Do two lists of numbers rise together? Pearson, Spearman and Kendall's tau-b, with intervals that resample items."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped, same_length, select
from whetstone.stats._totals import bootstrap_totals
from whetstone.stats.bootstrap import from_draws, resamples
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import clustered_mean

CELLS = 1 << 21  # cells of a matrix of weights held in memory at once
PAIRS = 1000  # distinct points that are compared each with each
POINTS = 10_000  # distinct points whose ranks are redone in every resample
Statistic = Callable[[Floats], Floats]


def pearson(
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Linear correlation of paired numbers [n]; `groups` [n] are clusters that are resampled whole.

    Unknown when one of the lists does not vary. Source: Pearson, "Note on regression and inheritance" (1895).
    """
    x, y, which = _points(first, second)
    if not x.size:
        return Estimate(None, None, 0, None, "pearson", "no items")
    a, b = x - x[which].mean(), y - y[which].mean()
    features = np.column_stack([np.ones(len(a)), a, b, a * a, b * b, a * b])
    return bootstrap_totals(
        _moment_correlation, features, which, name="pearson", groups=groups, rounds=rounds, level=level, seed=seed
    )


def spearman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Correlation of ranks, ties sharing theirs; ranks are made anew in each resample.

    Arguments are those of `pearson`. Beyond 10,000 distinct points the interval comes from the spread over blocks.

    Source: Spearman, "The proof and measurement of association between two things" (1904).
    """
    x, y, which = _points(first, second)
    statistic = partial(_rank_correlation, _ranks(x), _ranks(y))
    plain = partial(_scipy, "spearmanr", first, second)
    return _resampled("spearman", statistic, plain, which, len(x) <= POINTS, groups, rounds, level, seed)


def kendall(
    first: ArrayLike,
    second: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Kendall's tau-b: pairs of items in the same order minus pairs in opposite order, corrected for ties.

    Arguments are those of `pearson`. Beyond 1,000 distinct points the interval comes from the spread over blocks.

    Source: Kendall, "The treatment of ties in ranking problems" (1945).
    """
    x, y, which = _points(first, second)
    few = len(x) <= PAIRS
    above = [np.sign(np.subtract.outer(v, v)) for v in (x, y)] if few else [np.zeros((0, 0))] * 2
    statistic = partial(_tau, above[0] * above[1], above[0] == 0, above[1] == 0)
    plain = partial(_scipy, "kendalltau", first, second)
    return _resampled("kendall tau-b", statistic, plain, which, few, groups, rounds, level, seed)


def item_level(
    first: ArrayLike,
    second: ArrayLike,
    *,
    statistic: Literal["pearson", "spearman", "kendall"] = "kendall",
    groups: Groups | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean over items of the correlation across systems: do two raters order the answers to one question alike?

    Args:
        first, second: [items, systems] scores, NaN where missing.
        statistic: of each item, on the systems that both scored.
        groups, level: as in `clustered_mean`.

    Items in which a rater tells no systems apart are left out and counted in the note. Kendall's tau is tau-b.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f"scores must be two tables [items, systems] of one shape, not {a.shape} and {b.shape}")
    name = {"pearson": "pearsonr", "spearman": "spearmanr", "kendall": "kendalltau"}[statistic]
    there = ~np.isnan(a) & ~np.isnan(b)
    found = np.array(
        [_scipy(name, x, y, np.flatnonzero(both)) for x, y, both in zip(a, b, there, strict=True)], dtype=np.float64
    )
    kept = np.flatnonzero(~np.isnan(found))
    mean = clustered_mean(found[kept], select(groups, kept), level=level)
    left_out = f"{len(a) - kept.size} items without two different scores left out" if kept.size < len(a) else ""
    return replace(
        mean, method=f"{statistic} by item, {mean.method}", note="; ".join(filter(None, (left_out, mean.note)))
    )


def _points(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats, Codes]:
    """Distinct points, and which of them each item is."""
    x, y = floats(first, "first"), floats(second, "second")
    same_length(first=x, second=y)
    xs, i = np.unique(x, return_inverse=True)
    ys, j = np.unique(y, return_inverse=True)
    keys, which = np.unique(i * max(len(ys), 1) + j, return_inverse=True)
    return xs[keys // max(len(ys), 1)], ys[keys % max(len(ys), 1)], which


def _resampled(
    name: str,
    statistic: Statistic,
    plain: Callable[[Codes], float],
    which: Codes,
    few: bool,
    groups: Groups | None,
    rounds: int,
    level: float,
    seed: int,
) -> Estimate:
    """The bootstrap of a function of how often each distinct point occurs; `plain` is the same of chosen items."""
    tail, n = check_level(level) / 2, which.size
    codes = clusters(groups, n)
    value = plain(np.arange(n)) if n > 1 else math.nan
    if math.isnan(value):
        return Estimate(None, None, n, None, name, "undefined: one of the two does not vary" if n else "no items")
    rng, units = np.random.default_rng(seed), int(codes.max()) + 1
    if not few:
        return _from_blocks(name, value, plain, codes, units, rng, tail)
    if units == n:
        shares = np.bincount(which) / n
        step = max(1, CELLS // shares.size)
        sizes = [min(step, rounds - start) for start in range(0, rounds, step)]
        draws = np.concatenate([statistic(rng.multinomial(n, shares, size=size).astype(float)) for size in sizes])
    else:
        points = np.zeros((units, int(which.max()) + 1))
        np.add.at(points, (codes, which), 1)
        weights = resamples(np.arange(units), units, rounds, rng)
        draws = np.concatenate([statistic(part @ points) for part in weights])
    method = f"{name}, {'cluster ' if grouped(codes) else ''}bootstrap percentile"
    return from_draws(value, draws, None, n, units, tail, method)


def _from_blocks(
    name: str,
    value: float,
    plain: Callable[[Codes], float],
    codes: Codes,
    units: int,
    rng: np.random.Generator,
    tail: float,
) -> Estimate:
    """The spread of a statistic over random blocks of units, scaled to all of them; limits by Fisher's z."""
    blocks = int(np.clip(units // 40, 2, 100))
    turn = rng.permutation(units) % blocks
    order = np.argsort(turn[codes], kind="stable")
    ends = np.cumsum(np.bincount(turn[codes], minlength=blocks))[:-1]
    found = np.array([plain(part) for part in np.split(order, ends)])
    method = f"{name}, {blocks} blocks"
    if np.isnan(found).any() or abs(value) >= 1:
        return Estimate(value, None, codes.size, None, method, "undefined in a block of items: the spread is unknown")
    stderr = float(found.std(ddof=1) / math.sqrt(blocks))
    half = float(scipy.special.stdtrit(blocks - 1, 1 - tail)) * stderr / (1 - value**2)
    limits = math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
    return Estimate(value, limits, codes.size, stderr, method)


def _scipy(name: str, first: ArrayLike, second: ArrayLike, items: Codes) -> float:
    """The correlation of the chosen items; NaN where one list does not vary."""
    x, y = np.asarray(first, float)[items], np.asarray(second, float)[items]
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(getattr(scipy.stats, name)(x, y).statistic)


def _moment_correlation(totals: Floats) -> Floats:
    n, a, b, aa, bb, ab = totals.T
    spread = np.clip(aa - a * a / n, 0, None) * np.clip(bb - b * b / n, 0, None)
    out = np.full(n.shape, np.nan)
    np.divide(ab - a * b / n, np.sqrt(spread), out=out, where=spread > 1e-24 * np.maximum(aa * bb, 1e-300))
    return out


def _ranks(x: Floats) -> Statistic:
    """A function from weights [rounds, P] of points to their mid-ranks [rounds, P]."""
    order = np.argsort(x, kind="stable")
    starts = np.flatnonzero(np.diff(x[order], prepend=-np.inf)) if x.size else np.zeros(0, int)
    place = np.empty(x.size, int)
    place[order] = np.repeat(np.arange(starts.size), np.diff(starts, append=x.size))

    def ranks(weights: Floats) -> Floats:
        level = np.add.reduceat(weights[:, order], starts, axis=1)
        return np.asarray((level.cumsum(axis=1) - level / 2)[:, place])

    return ranks


def _rank_correlation(first: Statistic, second: Statistic, weights: Floats) -> Floats:
    n = weights.sum(axis=1, keepdims=True)
    a, b = first(weights) - n / 2, second(weights) - n / 2
    spread = (weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1)
    out = np.full(len(weights), np.nan)
    np.divide((weights * a * b).sum(axis=1), np.sqrt(spread), out=out, where=spread > 0)
    return out


def _tau(signs: Floats, tied_first: Floats, tied_second: Floats, weights: Floats) -> Floats:
    n = weights.sum(axis=1)
    ordered, same_x, same_y = (((weights @ m) * weights).sum(axis=1) for m in (signs, tied_first, tied_second))
    spread = (n * n - same_x) * (n * n - same_y)
    out = np.full(n.shape, np.nan)
    np.divide(ordered, np.sqrt(spread), out=out, where=spread > 0)
    return out
