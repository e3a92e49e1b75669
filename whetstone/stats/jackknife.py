"""Intervals for statistics that are costly or have no formula: recompute them with a group of items left out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy

from whetstone.stats._arrays import Codes, Groups, check_level, clusters
from whetstone.stats.estimate import Estimate


def jackknife(
    statistic: Callable[[Codes], float],
    n: int,
    *,
    groups: Groups | None = None,
    blocks: int = 20,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A smooth statistic of items with a delete-a-group jackknife interval (t on blocks - 1).

    Args:
        statistic: maps indices of items to a value; NaN where undefined.
        n: number of items.
        groups: [n] cluster of each item; clusters stay whole.
        blocks: random groups of items, each left out once; at most one an item.
        seed: of the grouping.

    Source: Kott, "The delete-a-group jackknife" (2001).
    """
    tail = check_level(level) / 2
    method = "delete-a-group jackknife"
    if n == 0:
        return Estimate(None, None, 0, None, method, "no items")
    codes = clusters(groups, n)
    units = int(codes.max()) + 1
    blocks = min(blocks, units)
    value = statistic(np.arange(n))
    if math.isnan(value):
        return Estimate(None, None, n, None, method, "undefined on these data")
    if blocks < 2:
        return Estimate(value, None, n, None, method, "a single unit: the spread is unknown")
    turn = (np.random.default_rng(seed).permutation(units) % blocks)[codes]
    left = np.array([statistic(np.flatnonzero(turn != block)) for block in range(blocks)])
    stderr = math.sqrt((blocks - 1) / blocks * float(((left - left.mean()) ** 2).sum()))
    if math.isnan(stderr) or stderr == 0:
        return Estimate(value, None, n, None, method, "undefined or equal in all blocks: the spread is unknown")
    half = float(scipy.special.stdtrit(blocks - 1, 1 - tail)) * stderr
    return Estimate(value, (value - half, value + half), n, stderr, method)
