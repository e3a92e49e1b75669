"""Everybody against everybody, or against one."""

from __future__ import annotations

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.ranking.schedules.schedule import Codes, Matches, Schedule, check, shuffled


def round_robin(k: int, *, items: int = 1, first_item: int = 0, seed: int = 0) -> Schedule[None]:
    """Every pair once on every item: k (k - 1) / 2 matches an item, in rounds where nobody plays twice on an item.

    Args:
        k: number of systems.
        items: number of items; `first_item` is the number of the first.
        seed: of the order shown and of who meets whom when.

    Raises:
        ConfigError: fewer than two systems or one item.

    Source: the circle method of Kirkman, "On a problem in combinations" (1847).
    """
    check(k, items=(items, 1))
    rng = np.random.default_rng(seed)
    seats = np.arange(k + k % 2)
    label = np.stack([rng.permutation(k) for _ in range(items)])
    for _ in range(len(seats) - 1):
        half = len(seats) // 2
        pairs = np.stack([seats[:half], seats[::-1][:half]], axis=1)
        pairs = pairs[(pairs < k).all(axis=1)]
        systems = label[:, pairs].reshape(-1, 2)
        yield Matches(shuffled(systems, rng), np.repeat(np.arange(items) + first_item, len(pairs)))
        seats = np.concatenate([seats[:1], np.roll(seats[1:], 1)])


def anchored(k: int, *, anchor: int, items: int = 1, first_item: int = 0, seed: int = 0) -> Schedule[None]:
    """Every system against one and the same (a reference, a baseline) on every item: k - 1 matches an item.

    Args:
        k: number of systems, the anchor among them.
        anchor: its code.
        items, first_item: as in `round_robin`.
        seed: of the order shown.

    Raises:
        ConfigError: fewer than two systems or one item, or an anchor that is not a code.
    """
    check(k, items=(items, 1))
    if not 0 <= anchor < k:
        raise ConfigError(f"anchor is {anchor}; it must be a code from 0 to {k - 1}")
    rng = np.random.default_rng(seed)
    others: Codes = np.tile(np.delete(np.arange(k), anchor), items)
    systems = np.stack([others, np.full_like(others, anchor)], axis=1)
    yield Matches(shuffled(systems, rng), np.repeat(np.arange(items) + first_item, k - 1))


def random_groups(k: int, *, size: int = 2, items: int | None = None, batch: int = 16, seed: int = 0) -> Schedule[None]:
    """Random groups without end: what an arena does that does not choose.

    Args:
        k: number of systems.
        size: systems a group.
        items: how many there are; they are taken in turn. None: each group has one of its own.
        batch: groups yielded at once.
        seed: of the groups.

    Raises:
        ConfigError: a group larger than there are systems.
    """
    check(k, size=(size, 2), batch=(batch, 1))
    if size > k:
        raise ConfigError(f"groups of {size} need as many systems; there are {k}")
    rng = np.random.default_rng(seed)
    start = 0
    while True:
        systems = np.argsort(rng.random((batch, k)), axis=1)[:, :size]
        number = np.arange(start, start + batch)
        yield Matches(systems, number if items is None else number % items)
        start += batch
