"""Playing comparisons one after the other under Elo's rule, once or in many orders at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Comparisons

TOGETHER = 48
"""Fewest runs for which stepping through all of them at once beats one loop a run."""

CELLS = 1 << 23
"""Comparisons times runs held in memory at once."""


def replay(comparisons: Comparisons, gain: float, *, start: float, rate: float) -> Floats:
    """[k] ratings after all rows in their order.

    Args:
        gain: points that a certain win over an equal would move, twice (Elo's K).
        start: rating before the first row.
        rate: log odds a point.
    """
    rating = [start] * len(comparisons.names)
    won = ((comparisons.outcome.astype(np.float64) + 1) / 2).tolist()
    gains = _gains(comparisons, gain).tolist()
    for i, j, y, g in zip(comparisons.left.tolist(), comparisons.right.tolist(), won, gains, strict=True):
        gap = (rating[j] - rating[i]) * rate
        step = g * (y - 1 / (1 + _exp(gap)))
        rating[i] += step
        rating[j] -= step
    return np.asarray(rating)


def replay_orders(
    comparisons: Comparisons, gains: Sequence[float], *, orders: int, start: float, rate: float, seed: int
) -> Floats:
    """[gains, orders, k] ratings after the rows in each of `orders` random orders, the same orders for each gain."""
    rng = np.random.default_rng(seed)
    n, k = len(comparisons), len(comparisons.names)
    out = np.empty((len(gains), orders, k))
    width = max(1, CELLS // n)
    for first in range(0, orders, width):
        drawn = [rng.permutation(n) for _ in range(min(width, orders - first))]
        block = out[:, first : first + len(drawn)]
        if len(drawn) * len(gains) >= TOGETHER:
            block[:] = _together(comparisons, gains, np.stack(drawn, axis=1), start, rate)
        else:
            for run, rows in enumerate(drawn):
                shuffled = comparisons.take(rows)
                for which, gain in enumerate(gains):
                    block[which, run] = replay(shuffled, gain, start=start, rate=rate)
    return out


def _together(
    comparisons: Comparisons, gains: Sequence[float], rows: NDArray[np.intp], start: float, rate: float
) -> Floats:
    """[gains, runs, k] ratings; `rows` [n, runs] is the row that each run plays at each step."""
    n, runs = rows.shape
    k = len(comparisons.names)
    rating = np.full((len(gains), runs * k), start, dtype=np.float64)
    at = np.arange(runs) * k
    left, right = comparisons.left.astype(np.intp), comparisons.right.astype(np.intp)
    won = (comparisons.outcome.astype(np.float64) + 1) / 2
    weight = np.ones(n) if comparisons.weight is None else comparisons.weight
    size = np.asarray(gains, dtype=np.float64)[:, None]
    for row in rows:
        i, j = at + left[row], at + right[row]
        ours, theirs = rating[:, i], rating[:, j]
        step = size * weight[row] * (won[row] - 1 / (1 + np.exp((theirs - ours) * rate)))
        rating[:, i] = ours + step
        rating[:, j] = theirs - step
    return rating.reshape(len(gains), runs, k)


def _gains(comparisons: Comparisons, gain: float) -> Floats:
    return np.full(len(comparisons), gain) if comparisons.weight is None else gain * comparisons.weight


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
