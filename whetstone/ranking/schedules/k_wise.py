"""Groups of K whose members are close in skill or have hardly met."""

from __future__ import annotations

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.ranking.estimators import Skills
from whetstone.ranking.schedules.schedule import Matches, Schedule, check, shuffled


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
    check(k, size=(size, 2), exploration=(exploration, 0))
    if size > k:
        raise ConfigError(f"groups of {size} need as many systems; there are {k}")
    rng = np.random.default_rng(seed)
    belief, item = Skills(k), 0
    met = np.zeros((k, k))
    while True:
        pivot = int(np.lexsort((rng.random(k), met.diagonal()))[0])
        skills = np.asarray(belief.means)
        with np.errstate(divide="ignore"):
            bonus = np.sqrt(np.log(max(item, 2)) / met[pivot])
        bound = exploration * bonus - np.abs(skills - skills[pivot]) if exploration else -np.abs(skills - skills[pivot])
        bound[pivot] = -np.inf
        others = np.lexsort((rng.random(k), -bound))[: size - 1]
        matches = Matches(shuffled(np.array([[pivot, *others]]), rng), np.array([item]))
        places = yield matches
        belief.learn(matches, places)
        group = matches.systems[0]
        met[group[:, None], group] += 1
        item += 1
