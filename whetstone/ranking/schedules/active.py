"""Pairs chosen for what they tell, until every pair is told apart: with a stop that holds at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.schedules.schedule import Matches, Schedule, check, shuffled

Floats = NDArray[np.float64]
CRITERIA = ("information", "ucb")


@dataclass(frozen=True, eq=False)
class Settled:
    """Why an active schedule ended.

    Attributes:
        better: [k, k] is the row's system better than the column's? With the confidence asked for, all of it is true.
        cyclic: systems that are better than themselves by way of others: the judge has no order among them. Hardly
            ever found where transitivity was taken for granted.
        matches: number of matches played.
    """

    better: NDArray[np.bool_]
    cyclic: NDArray[np.intp]
    matches: int


def active(
    k: int,
    *,
    criterion: str = "information",
    level: float = 0.95,
    deviation: float = 2.0,
    reach: float = 2.0,
    transitive: bool = True,
    seed: int = 0,
) -> Schedule[Settled]:
    """One pair after the other, each on an item of its own, until the order of all systems is settled.

    A pair is settled when it was won more often by one side than chance allows, looked at after every match, or when
    it follows from settled pairs. Where systems are equal this takes for ever: cut the schedule short. Only pairs that
    are not settled are played.

    Args:
        k: number of systems.
        criterion: "information" plays the pair whose result is expected to reduce the uncertainty about the strengths
            most; "ucb" the pair whose order could be wrong by most.
        level: confidence in all settled pairs at once, whenever one looks.
        deviation: standard deviation of the strengths, in natural log-odds, before the first match.
        reach: for "ucb", posterior standard deviations by which a pair could be wrong.
        transitive: take for granted that who is better than a better one is better. False plays until every pair is
            settled by its own matches, and so finds circles.
        seed: of choices among equals and of the order shown.

    Raises:
        ConfigError: an unknown criterion, or a level that is not between 0 and 1.

    The choice of pairs may use anything that was seen; the test of a pair rests on that pair's own matches alone: see
    `evidence`.

    Source: information gain in a normal belief: MacKay, "Information-based objective functions for active data
    selection" (1992), updated by one step of the extended Kalman filter; upper confidence bounds of the reversed order
    as in Kalyanakrishnan et al., "PAC subset selection in stochastic multi-armed bandits" (2012).
    """
    belief = Belief(k, criterion=criterion, level=level, deviation=deviation, reach=reach, transitive=transitive)
    rng = np.random.default_rng(seed)
    item = 0
    while (pair := belief.choose(rng)) is not None:
        matches = Matches(shuffled(np.array([pair]), rng), np.array([item]))
        places = yield matches
        item += 1
        i, j = matches.systems[0].tolist()
        belief.learn(i, j, float((np.sign(places[0, 1] - places[0, 0]) + 1) / 2))
    return Settled(belief.better, belief.cyclic, item)


class Belief:
    """What is known of k systems after matches of two, and which pair to play next; arguments as in `active`.

    Attributes:
        better: [k, k] is the row's system settled to be better than the column's?
    """

    def __init__(
        self,
        k: int,
        *,
        criterion: str = "information",
        level: float = 0.95,
        deviation: float = 2.0,
        reach: float = 2.0,
        transitive: bool = True,
    ) -> None:
        check(k, deviation=(deviation, 0), reach=(reach, 0))
        if criterion not in CRITERIA:
            raise ConfigError(f"criterion is {criterion!r}; it can be {', '.join(CRITERIA)}")
        if not 0 < level < 1:
            raise ConfigError(f"level is {level}; it must be between 0 and 1")
        self.criterion, self.reach, self.transitive = criterion, reach, transitive
        self.mean, self.covariance = np.zeros(k), np.eye(k) * deviation**2
        self.wins, self.direct = np.zeros((k, k)), np.zeros((k, k), dtype=bool)
        self.better = self.direct
        self.enough = float(np.log(k * (k - 1) / (1 - level)))

    def choose(self, rng: np.random.Generator, *, may: NDArray[np.bool_] | None = None) -> tuple[int, int] | None:
        """The pair to play; None where all are settled.

        Args:
            rng: decides among equals.
            may: [k, k] symmetric, pairs that can be played; None: all.
        """
        one, two = np.triu_indices(len(self.mean), 1)
        out = (self.better | self.better.T)[one, two]
        if may is not None:
            out |= ~may[one, two]
        if out.all():
            return None
        if self.criterion == "information":
            value = self.information[one, two]
        else:
            gap, variance = self._gaps
            value = (self.reach * np.sqrt(variance) - np.abs(gap))[one, two]
        value[out] = -np.inf
        at = int(np.lexsort((rng.random(len(value)), -value))[0])
        return int(one[at]), int(two[at])

    def learn(self, i: int, j: int, score: float) -> None:
        """Take in a match of i against j: 1 where i won, 0 where j did, 0.5 for a tie."""
        self.mean, self.covariance = _learn(self.mean, self.covariance, i, j, score)
        if score == 0.5:
            return
        winner, loser = (i, j) if score == 1 else (j, i)
        self.wins[winner, loser] += 1
        told = evidence(self.wins[winner, loser], self.wins[loser, winner]) >= self.enough
        if told and not self.direct[winner, loser]:
            self.direct[winner, loser] = True
            self.better = _closure(self.direct) if self.transitive else self.direct

    @property
    def information(self) -> Floats:
        """[k, k] about how much a match of a pair is expected to tell of the strengths, settled or not."""
        gap, variance = self._gaps
        chance = scipy.special.expit(gap)
        return np.asarray(np.log1p(chance * (1 - chance) * variance))

    @property
    def _gaps(self) -> tuple[Floats, Floats]:
        """[k, k] expected differences of strengths, and their variances."""
        own = self.covariance.diagonal()
        variance = np.maximum(own[:, None] + own - 2 * self.covariance, 0.0)
        return self.mean[:, None] - self.mean, variance

    @property
    def cyclic(self) -> NDArray[np.intp]:
        """Systems settled to be better than themselves by way of others."""
        return np.flatnonzero(_closure(self.direct).diagonal())


def evidence(won: float, lost: float) -> float:
    """Log e-value against "the first is no better than the second" after so many won and lost matches (ties aside).

    Under that hypothesis it ever reaches log(1 / alpha) with probability at most alpha, however pairs are chosen and
    whenever one looks: it is the log capital of a bettor whose chances of a win are spread evenly from 1/2 to 1.

    Source: Robbins, "Statistical methods related to the law of the iterated logarithm" (1970).
    """
    above = scipy.special.betaincc(won + 1, lost + 1, 0.5)
    if above <= 0:
        return -np.inf
    return float((won + lost + 1) * np.log(2) + scipy.special.betaln(won + 1, lost + 1) + np.log(above))


def _learn(mean: Floats, covariance: Floats, i: int, j: int, score: float) -> tuple[Floats, Floats]:
    """The belief after one match, with the logistic likelihood made quadratic where the belief stood."""
    towards = covariance[:, i] - covariance[:, j]
    chance = float(scipy.special.expit(mean[i] - mean[j]))
    curve = chance * (1 - chance)
    held = 1 + curve * (towards[i] - towards[j])
    return mean + towards * ((score - chance) / held), covariance - np.outer(towards, towards) * (curve / held)


def _closure(better: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All that follows when who is better than a better one is better."""
    while True:
        more = better | (better[:, :, None] & better[None]).any(axis=1)
        if (more == better).all():
            return np.asarray(more)
        better = more
