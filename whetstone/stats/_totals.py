"""Bootstrap of statistics that depend on the data through sums alone, fast for millions of items.

Most measures of agreement are functions of a few totals (a table of counts, moments). Resampling items then means
resampling totals: items with the same contribution are drawn together, as one multinomial count, and for very many
units that are all different the totals are drawn from the normal distribution that resampling leads to.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, grouped
from whetstone.stats.bootstrap import from_draws, resamples
from whetstone.stats.estimate import Estimate

MANY = 20_000  # units beyond which totals are drawn from their normal limit


def bootstrap_totals(
    statistic: Callable[[Floats], Floats],
    patterns: Floats,
    which: Codes,
    *,
    name: str,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A function of totals with a percentile bootstrap interval over items or clusters.

    Args:
        statistic: maps totals [rounds, f] to values [rounds]; NaN where undefined.
        patterns: [P, f] contributions that occur.
        which: [n] the contribution of each item, a row of `patterns`.
        name: what the estimate's method begins with.
        groups: [n] cluster of each item; clusters are resampled whole.
    """
    tail = check_level(level) / 2
    codes = clusters(groups, which.size)
    method = f"{name}, {'cluster ' if grouped(codes) else ''}bootstrap percentile"
    if not which.size:
        return Estimate(None, None, 0, None, method, "no items")
    counts = np.bincount(which, minlength=len(patterns)).astype(float)
    value = float(statistic((counts @ patterns)[None, :])[0])
    if np.isnan(value):
        return Estimate(None, None, which.size, None, method, "undefined: the ratings do not vary")
    draws = statistic(drawn_totals(patterns, which, codes, rounds, np.random.default_rng(seed)))
    return from_draws(value, draws, None, which.size, int(codes.max()) + 1, tail, method)


def drawn_totals(patterns: Floats, which: Codes, codes: Codes, rounds: int, rng: np.random.Generator) -> Floats:
    """Totals [rounds, f] of `rounds` resamples of the units that `codes` number."""
    units = int(codes.max()) + 1
    if units == which.size and 4 * len(patterns) <= units:
        shares = np.bincount(which, minlength=len(patterns)) / units
        return np.asarray(rng.multinomial(units, shares, size=rounds) @ patterns, dtype=np.float64)
    if units == which.size:
        sums = patterns[which]
    else:
        sums = np.stack([np.bincount(codes, column[which], units) for column in patterns.T], axis=1)
    if units > MANY:
        centred = sums - sums.mean(axis=0)
        spread, axes = np.linalg.eigh(centred.T @ centred)
        steps = rng.standard_normal((rounds, spread.size)) * np.sqrt(np.clip(spread, 0, None))
        return np.asarray(sums.sum(axis=0) + steps @ axes.T)
    return np.concatenate([weights @ sums for weights in resamples(np.arange(units), units, rounds, rng)])
