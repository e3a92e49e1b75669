"""Cycles of a majority relation: A beats B, B beats C, C beats A."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from whetstone.ranking.rules.majority import margins

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cycle:
    """The strongest cycle among systems none of which stands clearly above another.

    Attributes:
        path: positions; each beats the next one, and the last one the first.
        margin: the narrowest of those majorities; of all cycles among `members` this is the one where it is widest.
        members: positions of all systems that lie on some cycle with these.
    """

    path: tuple[int, ...]
    margin: float
    members: tuple[int, ...]


def cycles(support: Floats) -> list[Cycle]:
    """The strongest cycle of every set of systems that cycles tie together; none where the majorities are an order.

    Args:
        support: [k, k] weight of the tasks on which the row's system beats the column's.
    """
    margin = margins(support)
    found = []
    for members in _knots(margin > 0):
        inside = margin[np.ix_(members, members)]
        for level in np.unique(inside[inside > 0])[::-1]:
            knots = _knots(inside >= level)
            if knots:
                path = min((_shortest(inside >= level, int(start)) for start in knots[0]), key=lambda p: (len(p), p))
                found.append(Cycle(tuple(int(members[i]) for i in path), float(level), tuple(members.tolist())))
                break
    return found


def _knots(beats: Bools) -> list[NDArray[np.intp]]:
    """Sets of several systems that reach each other."""
    label = connected_components(csr_array(beats), directed=True, connection="strong")[1]
    sets = [np.flatnonzero(label == c) for c in np.unique(label)]
    return sorted((s for s in sets if s.size > 1), key=lambda s: int(s[0]))


def _shortest(beats: Bools, start: int) -> tuple[int, ...]:
    """A shortest way from `start` back to it; it must exist."""
    came_from: dict[int, int] = {}
    frontier = [start]
    while start not in came_from:
        reached = []
        for node in frontier:
            for following in np.flatnonzero(beats[node]).tolist():
                if following not in came_from:
                    came_from[following] = node
                    reached.append(following)
        frontier = reached
    path = [came_from[start]]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))
