"""A knockout bracket an item."""

from __future__ import annotations

import numpy as np

from whetstone.ranking.schedules.schedule import Codes, Matches, Schedule, check, shuffled

Node = tuple[int, int, int]
"""Round (from 1) and the places, in the list of winners, of the two sides that meet."""


def single_elimination(k: int, *, items: int = 1, first_item: int = 0, seed: int = 0) -> Schedule[Codes]:
    """A knockout an item, with a bracket drawn anew: k - 1 matches; the strong play more of them.

    The drawn list is halved until single systems are left; the winner of one half meets the winner of the other. Where
    k is no power of two some enter a round later. After a tie a random one of the two goes on.

    Args:
        k: number of systems.
        items, first_item: as in `round_robin`; the brackets of all items are played side by side.
        seed: of the draws, of who goes on after a tie, and of the order shown.

    Returns:
        [items] who won each bracket.

    Raises:
        ConfigError: fewer than two systems or one item.

    Source: "Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models" (2024).
    """
    check(k, items=(items, 1))
    rng = np.random.default_rng(seed)
    nodes: list[Node] = []
    final = _halve(0, k, k, nodes)[1]
    winner = np.zeros((k + len(nodes), items), dtype=np.intp)
    winner[:k] = np.stack([rng.permutation(k) for _ in range(items)], axis=1)
    numbers = np.arange(items) + first_item
    for turn in range(1, max(round_ for round_, _, _ in nodes) + 1):
        now = [(at, one, two) for at, (round_, one, two) in enumerate(nodes) if round_ == turn]
        pairs = np.stack([[winner[one], winner[two]] for _, one, two in now])
        systems = shuffled(pairs.transpose(0, 2, 1).reshape(-1, 2), rng)
        places = yield Matches(systems, np.tile(numbers, len(now)))
        luck = rng.integers(0, 2, len(places))
        first = np.where(places[:, 0] == places[:, 1], luck == 0, places[:, 0] < places[:, 1])
        won = np.where(first, systems[:, 0], systems[:, 1]).reshape(len(now), items)
        winner[[k + at for at, _, _ in now]] = won
    return np.asarray(winner[final])


def _halve(start: int, stop: int, k: int, nodes: list[Node]) -> tuple[int, int]:
    """Round in which the winner of the drawn list from `start` to `stop` is known, and its place among the winners."""
    if stop - start == 1:
        return 0, start
    middle = (start + stop + 1) // 2
    (early, one), (late, two) = _halve(start, middle, k, nodes), _halve(middle, stop, k, nodes)
    nodes.append((max(early, late) + 1, one, two))
    return nodes[-1][0], k + len(nodes) - 1
