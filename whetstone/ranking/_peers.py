"""What peer ranking and peer review share: win rates under weights of judges, and votes on each item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Comparisons, count

Floats = NDArray[np.float64]


def weighted(comparisons: Comparisons, weights: Floats) -> Comparisons:
    """Every row weighs as much as its judge, times its own weight.

    Args:
        weights: [judges].

    Raises TaskError where the judge of each row is not known, or no weight is left.
    """
    if comparisons.judge is None:
        raise TaskError("who judged each comparison must be known: fill the judge column")
    each = weights[comparisons.judge]
    return replace(comparisons, weight=each if comparisons.weight is None else each * comparisons.weight)


def win_rates(comparisons: Comparisons) -> Floats:
    """[k] share of the weight of a system's comparisons that it won, ties as half; NaN for one without any."""
    counts = count(comparisons)
    played = counts.matches.sum(axis=1)
    rates: Floats = np.divide(counts.points.sum(axis=1), played, out=np.full(len(played), np.nan), where=played > 0)
    return rates


def vote(comparisons: Comparisons, *, band: float = 0.0) -> Comparisons:
    """One row for each pair in each group: what the weighted mean of its outcomes says.

    Args:
        band: a mean this near to 0 is a tie.
    """
    low, high = np.minimum(comparisons.left, comparisons.right), np.maximum(comparisons.left, comparisons.right)
    group = np.zeros(len(comparisons), dtype=np.intp) if comparisons.group is None else comparisons.group
    items, row = np.unique(np.stack([group, low, high], axis=1), axis=0, return_inverse=True)
    weight = np.ones(len(comparisons)) if comparisons.weight is None else comparisons.weight
    outcome = np.where(comparisons.left == low, 1, -1) * comparisons.outcome
    total = np.bincount(row.ravel(), weight, minlength=len(items))
    heard = total > 0
    mean = np.bincount(row.ravel(), weight * outcome, minlength=len(items))[heard] / total[heard]
    decided = np.where(np.abs(mean) <= band + 1e-12, 0, np.sign(mean)).astype(np.int8)
    items = items[heard]
    return Comparisons(comparisons.names, items[:, 1], items[:, 2], decided, group=items[:, 0])
