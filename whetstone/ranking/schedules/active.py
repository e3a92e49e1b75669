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
    check(k, deviation=(deviation, 0), reach=(reach, 0))
    if criterion not in CRITERIA:
        raise ConfigError(f"criterion is {criterion!r}; it can be {', '.join(CRITERIA)}")
    if not 0 < level < 1:
        raise ConfigError(f"level is {level}; it must be between 0 and 1")
    rng = np.random.default_rng(seed)
    mean, covariance = np.zeros(k), np.eye(k) * deviation**2
    wins, direct = np.zeros((k, k)), np.zeros((k, k), dtype=bool)
    better = direct
    enough = np.log(k * (k - 1) / (1 - level))
    one, two = np.triu_indices(k, 1)
    item = 0
    while not (better | better.T)[one, two].all():
        gap = mean[one] - mean[two]
        variance = covariance[one, one] + covariance[two, two] - 2 * covariance[one, two]
        if criterion == "information":
            chance = scipy.special.expit(gap)
            value = np.log1p(chance * (1 - chance) * variance)
        else:
            value = reach * np.sqrt(variance) - np.abs(gap)
        value[(better | better.T)[one, two]] = -np.inf
        at = int(np.lexsort((rng.random(len(value)), -value))[0])
        matches = Matches(shuffled(np.array([[one[at], two[at]]]), rng), np.array([item]))
        places = yield matches
        item += 1
        i, j = matches.systems[0]
        score = (np.sign(places[0, 1] - places[0, 0]) + 1) / 2
        mean, covariance = _learn(mean, covariance, i, j, float(score))
        if score != 0.5:
            winner, loser = (i, j) if score == 1 else (j, i)
            wins[winner, loser] += 1
            if evidence(wins[winner, loser], wins[loser, winner]) >= enough and not direct[winner, loser]:
                direct[winner, loser] = True
                better = _closure(direct) if transitive else direct
    return Settled(better, np.flatnonzero(_closure(direct).diagonal()), item)


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
