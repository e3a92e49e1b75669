"""Scores of a set of items over rankings, and the greedy choice of a set under lower bounds for groups.

Every score here is an ordered weighted average: each ranking's utilities of the chosen items, from the highest down,
times weights that do not increase. Such scores are monotone and submodular.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whetstone.ranking.comparisons import Rankings

Floats = NDArray[np.float64]
Weigh = Callable[[int], Floats]

# What a ranking sees in an item, and what its best, second best ... chosen item counts.
RULES: Mapping[str, tuple[str, Weigh]] = {
    "sntv": ("top", np.ones),
    "bloc": ("approved", np.ones),
    "borda": ("points", np.ones),
    "chamberlin_courant": ("points", lambda size: np.eye(1, size)[0]),
    "coverage": ("approved", lambda size: np.eye(1, size)[0]),
    "harmonic": ("approved", lambda size: 1 / np.arange(1, size + 1)),
}


def seen(rankings: Rankings, rule: str, size: int) -> Floats:
    """[n, k] what each ranking sees in each item: Borda points, or 1 for the first or for the first `size`."""
    k = len(rankings.names)
    place = np.full((len(rankings), k), k - 1)
    row, column = np.nonzero(rankings.order >= 0)
    place[row, rankings.order[row, column]] = column
    utility: Floats = {"points": k - 1 - place, "approved": place < size, "top": place < 1}[RULES[rule][0]]
    return utility.astype(np.float64)


def value(utility: Floats, weigh: Floats, chosen: list[int]) -> float:
    """Score of a set: each ranking's utilities of its items from the highest down, times `weigh`."""
    return float((-np.sort(-utility[:, chosen], axis=1) @ weigh[: len(chosen)]).sum())


def greedy(utility: Floats, weigh: Floats, group: NDArray[np.intp], need: NDArray[np.intp]) -> list[int]:
    """Items by greatest gain in score, as long as the places that remain suffice for the bounds that are not yet met.

    Args:
        utility: [n, k] of rankings and items.
        weigh: [size] not increasing.
        group: [k] code of each item's group.
        need: [groups] least number of items of each.
    """
    chosen: list[int] = []
    held = np.empty((len(utility), 0))
    open_ = np.maximum(need, 0)
    for step in range(len(weigh)):
        above = (held[:, :, None] >= utility[:, None, :]).sum(axis=1)
        change = np.diff(weigh[: step + 1]) * held
        shifted = np.concatenate([np.cumsum(change[:, ::-1], axis=1)[:, ::-1], np.zeros((len(utility), 1))], axis=1)
        gain = (weigh[above] * utility + np.take_along_axis(shifted, above, axis=1)).sum(axis=0)
        urgent = len(weigh) - step == open_.sum()
        allowed = (open_[group] > 0) if urgent else np.ones(len(group), dtype=bool)
        allowed[chosen] = False
        best = int(np.argmax(np.where(allowed, gain, -np.inf)))
        chosen.append(best)
        open_[group[best]] = max(0, open_[group[best]] - 1)
        held = -np.sort(-utility[:, chosen], axis=1)
    return chosen
