"""Groups of K whose members are close in skill or have hardly met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.estimators import Skills
from whetstone.ranking.schedules.schedule import Codes, Matches, Schedule, check, shuffled


def k_wise(k: int, *, size: int = 4, exploration: float = 1.0, seed: int = 0) -> Schedule[None]:
    """One group after the other, each on an item of its own, chosen by upper confidence bounds; without end.

    The pivot is a system that has played least. The others are those with the highest
    -|skill - skill of the pivot| + exploration * sqrt(log(matches) / meetings with the pivot), on the scale of
    `bayesian_skill`: first who has never met the pivot, then who is close to it.

    Args:
        k: number of systems.
        size: systems a group.
        exploration: 0 always takes the nearest.
        seed: of choices among equals and of the order shown.

    Raises:
        ConfigError: a group larger than there are systems, or a negative exploration.

    Source: "K-Sort Arena: Efficient and Reliable Benchmarking for Generative Models via K-wise Human Preferences"
    (2024); the paper's constant is not known to us, 1 is the usual one.
    """
    groups = Groups(k, size=size, exploration=exploration)
    rng = np.random.default_rng(seed)
    item = 0
    while True:
        matches = Matches(shuffled(np.array([groups.choose(rng)]), rng), np.array([item]))
        places = yield matches
        groups.learn(matches, places)
        item += 1


class Groups:
    """What is known of k systems after matches of several, and which group to play next; arguments as in `k_wise`."""

    def __init__(self, k: int, *, size: int = 4, exploration: float = 1.0) -> None:
        check(k, size=(size, 2), exploration=(exploration, 0))
        if size > k:
            raise ConfigError(f"groups of {size} need as many systems; there are {k}")
        self.size, self.exploration = size, exploration
        self.belief, self.met, self.matches = Skills(k), np.zeros((k, k)), 0

    def choose(self, rng: np.random.Generator, *, have: NDArray[np.bool_] | None = None) -> list[int]:
        """The systems to play, the pivot first; fewer than `size` where no item has outputs of so many.

        Args:
            rng: decides among equals.
            have: [k, items] which systems have an output on which items; a group shares one. None: all have all.
        """
        k = len(self.met)
        skills = np.asarray(self.belief.means)
        shared = np.ones((k, 1), dtype=bool) if have is None else have
        best: list[int] = []
        for pivot in np.lexsort((rng.random(k), self.met.diagonal())).tolist():
            near = -np.abs(skills - skills[pivot])
            if self.exploration:
                with np.errstate(divide="ignore"):
                    near = near + self.exploration * np.sqrt(np.log(max(self.matches, 2)) / self.met[pivot])
            near[pivot] = -np.inf
            group, common = [pivot], shared[pivot]
            for other in np.lexsort((rng.random(k), -near))[: k - 1].tolist():
                if len(group) < self.size and (common & shared[other]).any():
                    group.append(other)
                    common = common & shared[other]
            if len(group) > len(best):
                best = group
            if len(best) == self.size:
                break
        return best

    def learn(self, matches: Matches, places: Codes) -> None:
        """Take in matches and their places [m, K]."""
        self.belief.learn(matches, places)
        for group in matches.systems:
            self.met[group[:, None], group] += 1
        self.matches += len(matches)
