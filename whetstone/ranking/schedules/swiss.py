"""Swiss system: who has as many points meets next, and nobody meets twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.ranking.schedules.schedule import Matches, Schedule, check, shuffled

_STEPS = 10_000
"""Pairs tried in a round before rematches are allowed."""


def swiss(k: int, *, rounds: int, first_item: int = 0, seed: int = 0) -> Schedule[NDArray[np.float64]]:
    """Rounds in which neighbours in the table meet; rematches only where there is no other way.

    With an odd number one of the lowest who has not yet been free is free, for a point.

    Args:
        k: number of systems.
        rounds: each is one item, from `first_item`, with k // 2 matches.
        seed: of the order among equals and of the order shown.

    Returns:
        [k] points: 1 for a win, 1/2 for a tie.

    Raises:
        ConfigError: fewer than two systems or one round.
    """
    check(k, rounds=(rounds, 1))
    rng = np.random.default_rng(seed)
    points, met, free = np.zeros(k), np.zeros((k, k), dtype=np.intp), np.zeros(k, dtype=np.intp)
    for item in range(first_item, first_item + rounds):
        table = np.lexsort((rng.random(k), -points)).tolist()
        if k % 2:
            out = min(reversed(table), key=lambda system: free[system])
            table.remove(out)
            points[out] += 1
            free[out] += 1
        pairs = _pair(table, met)
        systems = shuffled(np.asarray(pairs, dtype=np.intp), rng)
        places = yield Matches(systems, np.full(len(pairs), item))
        one, two = systems.T
        gain = (np.sign(places[:, 1] - places[:, 0]) + 1) / 2
        points[one] += gain
        points[two] += 1 - gain
        met[one, two] += 1
        met[two, one] += 1
    return points


def _pair(table: list[int], met: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Pairs of a table, best first, who have met at most as often as cannot be avoided."""
    often = 0
    while True:
        found = _search(table, met <= often)
        if found is not None:
            return found
        often += 1


def _search(table: list[int], may: NDArray[np.bool_]) -> list[tuple[int, int]] | None:
    """The first complete pairing, trying near neighbours first; None if there is none or it is too far to seek."""
    steps = 0

    def rest(left: list[int]) -> list[tuple[int, int]] | None:
        nonlocal steps
        if not left:
            return []
        for other in left[1:]:
            if not may[left[0], other]:
                continue
            steps += 1
            if steps > _STEPS:
                return None
            found = rest([system for system in left[1:] if system != other])
            if found is not None:
                return [(left[0], other), *found]
        return None

    return rest(table)
