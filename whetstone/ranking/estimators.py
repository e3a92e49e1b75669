"""Scores that are kept up to date while matches come in: Elo, Bayesian skills, Bradley-Terry."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from whetstone.ranking.comparisons import Counts
from whetstone.ranking.schedules.schedule import Codes, Matches
from whetstone.ranking.skill import DEVIATION, MEAN, update
from whetstone.ranking.strengths import fit_strengths

Floats = NDArray[np.float64]


class Estimator(Protocol):
    """Learns from matches in the order in which they come; `scores` [k], higher is better."""

    def learn(self, matches: Matches, places: Codes) -> None: ...
    @property
    def scores(self) -> Floats: ...


class Elo:
    """Elo ratings in natural log-odds: `k_factor` points of which 400 multiply the odds by 10.

    A ranking of K counts as its K (K - 1) / 2 comparisons, all from the ratings before it.
    """

    def __init__(self, k: int, *, k_factor: float = 16.0) -> None:
        self.rating, self.gain = [0.0] * k, k_factor * math.log(10) / 400

    def learn(self, matches: Matches, places: Codes) -> None:
        rating = self.rating
        for systems, place in zip(matches.systems.tolist(), places.tolist(), strict=True):
            before = [rating[i] for i in systems]
            for a, b in combinations(range(len(systems)), 2):
                won = (1 + (place[a] < place[b]) - (place[a] > place[b])) / 2
                step = self.gain * (won - 1 / (1 + math.exp(before[b] - before[a])))
                rating[systems[a]] += step
                rating[systems[b]] -= step

    @property
    def scores(self) -> Floats:
        return np.asarray(self.rating)


class Skills:
    """Normal beliefs about skills, updated as in `bayesian_skill`; scores are their means.

    No ranking takes away more than the share 1 - `floor` of a variance. The shrinkages of the pairs of one ranking add
    up, and exceed the whole when a newcomer meets three known systems: a floor near 0 then freezes its skill for good.
    """

    def __init__(self, k: int, *, floor: float = 0.5) -> None:
        self.means, self.variances, self.floor = [MEAN] * k, [DEVIATION**2] * k, floor

    def learn(self, matches: Matches, places: Codes) -> None:
        for systems, place in zip(matches.systems.tolist(), places.tolist(), strict=True):
            means, variances = [self.means[i] for i in systems], [self.variances[i] for i in systems]
            for i, mean, variance in zip(systems, *update(means, variances, place, floor=self.floor), strict=True):
                self.means[i], self.variances[i] = mean, variance

    @property
    def scores(self) -> Floats:
        return np.asarray(self.means)


class BradleyTerry:
    """Bradley-Terry strengths of all matches so far, with a prior of one comparison a system; ties are half a win."""

    def __init__(self, k: int) -> None:
        self.points, self.n = np.zeros((k, k)), 0

    def learn(self, matches: Matches, places: Codes) -> None:
        for a, b in combinations(range(places.shape[1]), 2):
            gain = (np.sign(places[:, b] - places[:, a]) + 1) / 2
            one, two = matches.systems[:, a], matches.systems[:, b]
            np.add.at(self.points, (one, two), gain)
            np.add.at(self.points, (two, one), 1 - gain)
            self.n += len(places)

    @property
    def scores(self) -> Floats:
        names = tuple(map(str, range(len(self.points))))
        no_ties = np.zeros_like(self.points)
        counts = Counts(names, self.points, no_ties, self.points, no_ties, self.n)
        return fit_strengths(counts, prior=1.0).fit.strengths


ESTIMATORS: Mapping[str, Callable[[int], Estimator]] = {
    "bradley_terry": BradleyTerry,
    "bayesian_skill": Skills,
    "elo": Elo,
}
"""By name: each is made for a number of systems."""
