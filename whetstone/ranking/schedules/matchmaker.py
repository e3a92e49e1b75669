"""Matches one at a time, for voters who come and go: who meets next, on what, and in which order they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.schedules.active import Belief
from whetstone.ranking.schedules.k_wise import Groups
from whetstone.ranking.schedules.schedule import Matches

Choice = Literal["information", "random", "ucb"]
MOST = 5
"""Systems that one match can show: as many as `plackett_luce` reads tied, and all their orders are weighed."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who plays, in the order shown, and on which item."""

    systems: tuple[int, ...]
    item: int


class Matchmaker:
    """Chooses the next match from the votes so far. Several matches may be open at a time, and some stay unanswered.

    Unlike the generators beside it, it takes results in any order, and items on which not every system has an output.

    Args:
        have: [k, items] which systems have an output on which items.
        size: systems a match.
        choice: "information" draws systems with chances in proportion to what a match of theirs is expected to tell;
            "random" plays who has played least; "ucb" is the greedy choice of `k_wise`.
        level: confidence of the order at which `settled` becomes true.
        seed: of all choices. The same seed, matches and votes give the same next match.

    Raises:
        ConfigError: a size that cannot be, or no item with so many outputs.

    Every two systems are shown in either order equally often, as far as numbers allow.

    Who is to be ranked with intervals must go on meeting everybody. A greedy choice stops playing a pair once it seems
    clear, and so keeps the pairs that luck made clear. With "ucb" and eight equal systems, 300 votes put some of them
    into different tiers in 73 of 100 arenas where 5 are allowed; with "information" in 5.
    """

    def __init__(
        self,
        have: NDArray[np.bool_],
        *,
        size: int = 2,
        choice: Choice = "information",
        level: float = 0.95,
        seed: int = 0,
    ) -> None:
        k = len(have)
        if not 2 <= size <= MOST:
            raise ConfigError(f"a match of {size} cannot be shown; it takes 2 to {MOST}")
        if not have.size or have.sum(axis=0).max() < size:
            most = int(have.sum(axis=0).max()) if have.size else 0
            raise ConfigError(f"no prompt has outputs of {size} systems; the most is {most}")
        self.have, self.size, self.seed, self.choice = have, size, seed, choice
        self.belief, self.groups = Belief(k, level=level), Groups(k, size=size)
        self.before, self.played = np.zeros((k, k), dtype=np.intp), np.zeros(k, dtype=np.intp)
        self.met = np.zeros((k, k), dtype=np.intp)
        self.shown = np.zeros(have.shape[1], dtype=np.intp)
        self.on: Counter[tuple[frozenset[int], int]] = Counter()
        full = have & (have.sum(axis=0) >= size)
        self.full, self.share = full, (full.astype(np.float32) @ full.T.astype(np.float32)) > 0
        np.fill_diagonal(self.share, False)
        self.handed = 0

    @property
    def settled(self) -> bool:
        """Is every pair that can meet told apart, each by votes on that pair or by what follows from them?"""
        better = self.belief.better
        return bool((better | better.T)[self.share].all())

    def next(self, *, waiting: Collection[Match] = (), seen: Collection[tuple[frozenset[int], int]] = ()) -> Match:
        """The next match, in the order in which it is to be shown; call `hand_out` when it is.

        Args:
            waiting: matches that others have before them; their systems are left alone where there are others.
            seen: sets of systems and items that this voter has had; avoided as far as possible.
        """
        rng = np.random.default_rng((self.seed, self.handed))
        systems = self._systems(rng, [match.systems for match in waiting])
        whole = frozenset(systems)
        items = np.flatnonzero(self.have[list(systems)].all(axis=0))
        had = np.array([(whole, item) in seen for item in items.tolist()])
        often = np.array([self.on[whole, item] for item in items.tolist()])
        item = int(items[np.lexsort((rng.random(len(items)), self.shown[items], often, had))[0]])
        return Match(self._order(systems, rng), item)

    def hand_out(self, match: Match) -> None:
        """A match is shown."""
        self.handed += 1
        self.shown[match.item] += 1
        self.on[frozenset(match.systems), match.item] += 1
        self.played[list(match.systems)] += 1
        for first, second in combinations(match.systems, 2):
            self.before[first, second] += 1
            self.met[first, second] += 1
            self.met[second, first] += 1

    def learn(self, match: Match, places: Sequence[int]) -> None:
        """A match is answered: places in the order shown, lower for better and equal for tied."""
        for (i, one), (j, two) in combinations(zip(match.systems, places, strict=True), 2):
            self.belief.learn(i, j, (1 + (one < two) - (one > two)) / 2)
        self.groups.learn(Matches(np.array([match.systems]), np.array([match.item])), np.array([places]))

    def _systems(self, rng: np.random.Generator, waiting: Sequence[tuple[int, ...]]) -> Sequence[int]:
        if self.choice == "information":
            free = self.share.copy()
            for group in waiting:
                for i, j in combinations(group, 2):
                    free[i, j] = free[j, i] = False
            found = self._informed(rng, free if free.any() else self.share)
        elif self.choice == "ucb":
            found = self.groups.choose(rng, have=self.full)
        else:
            found = []
        return found if len(found) == self.size else self._least_met(rng)

    def _informed(self, rng: np.random.Generator, free: NDArray[np.bool_]) -> list[int]:
        """A pair, then one more at a time, each drawn by how much it is expected to tell."""
        value = self.belief.information * free
        one, two = np.triu_indices(len(value), 1)
        at = _drawn(value[one, two], rng)
        group = [int(one[at]), int(two[at])]
        common = self.full[group].all(axis=0)
        value = self.belief.information * self.share
        while len(group) < self.size:
            worth = value[group].sum(axis=0) * (self.full & common).any(axis=1)
            worth[group] = 0
            if not worth.any():
                break
            group.append(_drawn(worth, rng))
            common &= self.full[group[-1]]
        return group

    def _least_met(self, rng: np.random.Generator) -> Sequence[int]:
        """Who has played least, and those whom it has met least, on an item that has outputs of so many."""
        able = np.flatnonzero(self.full.any(axis=1))
        pivot = int(able[np.lexsort((rng.random(len(able)), self.played[able]))[0]])
        items = np.flatnonzero(self.full[pivot])
        item = items[np.lexsort((rng.random(len(items)), self.shown[items]))[0]]
        others = np.flatnonzero(self.full[:, item])
        others = others[others != pivot]
        chosen = others[np.lexsort((rng.random(len(others)), self.played[others], self.met[pivot, others]))]
        return [pivot, *chosen[: self.size - 1].tolist()]

    def _order(self, systems: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
        """The order that evens out who was shown before whom; at random among equals."""
        orders = np.array(list(permutations(systems)))
        lead = self.before - self.before.T
        uneven = sum(lead[orders[:, a], orders[:, b]] for a, b in combinations(range(len(systems)), 2))
        best = int(np.lexsort((rng.random(len(orders)), uneven))[0])
        return tuple(orders[best].tolist())


def _drawn(worth: NDArray[np.float64], rng: np.random.Generator) -> int:
    """A place, with chances in proportion to its worth."""
    return int(rng.choice(len(worth), p=worth / worth.sum()))
