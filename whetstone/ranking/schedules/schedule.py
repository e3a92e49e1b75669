"""What every schedule speaks: batches of matches out, the places of those who played in.

A schedule is a generator. It yields `Matches` that may be judged side by side and receives their places, [m, K] with
lower for better and equal for tied; what it returns at its end is its own. It decides the order in which systems are
shown, at random, so that a judge's liking for a position cannot favour a system.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons, Rankings

T = TypeVar("T")
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Matches:
    """Matches that do not wait for each other.

    Attributes:
        systems: [m, K] codes of those who play, in the order in which they are to be shown.
        item: [m] number of the item (prompt) on which they play; equal numbers are the same item.
    """

    systems: Codes
    item: Codes

    def __len__(self) -> int:
        return len(self.item)

    def __getitem__(self, rows: slice) -> Matches:
        return Matches(self.systems[rows], self.item[rows])


Schedule = Generator[Matches, Codes, T]
Judge = Callable[[Matches], Codes]


@dataclass(frozen=True, eq=False)
class Played(Generic[T]):
    """All matches of a schedule with their places [n, K], and what the schedule returned: None if it was cut short."""

    matches: Matches
    places: Codes
    result: T | None

    def comparisons(self, names: Sequence[str]) -> Comparisons:
        """The matches as comparisons of two; items are their groups.

        Raises:
            TaskError: no match was played.
        """
        if not len(self.matches):
            raise TaskError("the schedule ended before its first match: there is nothing to rank")
        if self.places.shape[1] > 2:
            return self.rankings(names).pairs()
        left, right = self.matches.systems.T
        outcome = np.sign(self.places[:, 1] - self.places[:, 0]).astype(np.int8)
        return Comparisons(tuple(names), left, right, outcome, group=self.matches.item)

    def rankings(self, names: Sequence[str]) -> Rankings:
        """The matches as rankings of K systems; items are their groups."""
        best_first = np.argsort(self.places, axis=1, kind="stable")
        places = np.take_along_axis(self.places, best_first, axis=1)
        tied = np.zeros(places.shape, dtype=bool)
        tied[:, 1:] = places[:, 1:] == places[:, :-1]
        order = np.take_along_axis(self.matches.systems, best_first, axis=1)
        return Rankings(tuple(names), order, tied, group=self.matches.item)


def play(schedule: Schedule[T], judge: Judge, *, most: int | None = None) -> Played[T]:
    """Let a judge decide the matches of a schedule.

    Args:
        judge: maps matches to their places [m, K].
        most: the schedule is cut short after this many matches.
    """
    done: list[Matches] = []
    places: list[Codes] = []
    left, result = most, None
    try:
        batch = next(schedule)
        while left is None or left > 0:
            batch = batch[:left]
            done.append(batch)
            places.append(judge(batch))
            left = None if left is None else left - len(batch)
            if left == 0:
                break
            batch = schedule.send(places[-1])
    except StopIteration as stop:
        result = stop.value
    finally:
        schedule.close()
    if not done:
        return Played(Matches(np.zeros((0, 2), np.intp), np.zeros(0, np.intp)), np.zeros((0, 2), np.intp), result)
    whole = Matches(np.concatenate([m.systems for m in done]), np.concatenate([m.item for m in done]))
    return Played(whole, np.concatenate(places), result)


def endless(one_item: Callable[[int], Schedule[T]]) -> Schedule[None]:
    """One item after the other, without end; `one_item` maps the item's number to its schedule."""
    for item in count():
        yield from one_item(item)


def shuffled(systems: Codes, rng: np.random.Generator) -> Codes:
    """[m, K] the same matches, each shown in random order."""
    return rng.permuted(systems, axis=1)


def check(k: int, **least: tuple[float, float]) -> None:
    """Raises ConfigError for fewer than two systems, or a setting (value, least) below its least."""
    if k < 2:
        raise ConfigError(f"a schedule needs at least two systems, not {k}")
    for name, (value, low) in least.items():
        if value < low:
            raise ConfigError(f"{name} is {value:g}; it must be at least {low:g}")
