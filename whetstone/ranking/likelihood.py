"""The strengths that make counted comparisons most likely, by Newton's method on the k x k counts.

Strengths are identified up to a constant; they are centred to mean 0. A prior of weight c lets every system play c
comparisons, half won and half lost, against an imagined system of strength 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.ranking.comparisons import Counts
from whetstone.ranking.ties import TIES, Curvature, Outcomes, log_sigmoid, sigmoid

Array = NDArray[np.float64]

_STEPS = 60
_CLOSE = 1e-10
_LONGEST = 4.0
"""No strength moves further than this in a step, so that far from the maximum the search stays in range."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Counts by pair that met: first < second are [m] codes, counts and squared [3, m] (first won, tie, second won)."""

    k: int
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    counts: Array
    squared: Array

    @classmethod
    def of(cls, counts: Counts) -> Pairs:
        first, second = np.nonzero(np.triu(counts.matches, 1))
        ahead, back = (first, second), (second, first)
        return cls(
            len(counts.names),
            first,
            second,
            np.stack([counts.wins[ahead], counts.ties[ahead], counts.wins[back]]),
            np.stack([counts.squared_wins[ahead], counts.squared_ties[ahead], counts.squared_wins[back]]),
        )

    @property
    def beat(self) -> NDArray[np.bool_]:
        """[k, k] has the row's system beaten, or tied with, the column's?"""
        beat = np.zeros((self.k, self.k), dtype=bool)
        beat[self.first, self.second] = (self.counts[0] > 0) | (self.counts[1] > 0)
        beat[self.second, self.first] = (self.counts[2] > 0) | (self.counts[1] > 0)
        return beat

    def assemble(self, curvature: Curvature) -> Array:
        """[k + 1, k + 1] a quadratic form in the differences and e as a matrix in the strengths and e."""
        k = self.k
        matrix = np.zeros((k + 1, k + 1))
        matrix[self.first, self.second] = matrix[self.second, self.first] = -curvature.dd
        matrix[np.diag_indices(k)] = -matrix[:k, :k].sum(axis=1)
        matrix[:k, k] = matrix[k, :k] = self.gather(curvature.de)
        matrix[k, k] = curvature.ee
        return matrix

    def gather(self, values: Array) -> Array:
        """[k] for each system the sum of its pairs' values, with a minus where it is second."""
        return np.bincount(self.first, values, self.k).astype(np.float64, copy=False) - np.bincount(
            self.second, values, self.k
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """The maximum of a likelihood.

    Attributes:
        strengths: [k] centred to mean 0.
        tie: the tie parameter e; None where the model has none.
        inverse: [k + 1, k + 1] inverse of the information about strengths and e, in centred strengths.
        prior: comparisons that each system was given against an imagined one.
    """

    strengths: Array
    tie: float | None
    inverse: Array
    prior: float

    @property
    def e(self) -> Array:
        """The tie parameter as `Outcomes` take it."""
        return np.asarray(self.tie or 0.0)

    def differences(self, pairs: Pairs) -> Array:
        """[m] first minus second."""
        result: Array = self.strengths[pairs.first] - self.strengths[pairs.second]
        return result


def model_of(ties: str, pairs: Pairs) -> Outcomes:
    """The model of this name; without ties, or with nothing but ties, no tie parameter can be fitted."""
    decided, tied = pairs.counts[[0, 2]].sum(), pairs.counts[1].sum()
    return TIES[ties if decided and tied else "half"]


def ties_separate(pairs: Pairs) -> bool:
    """Can the systems be spread so that no pair that tied lies further apart than any pair that one of the two won?

    Then a model with a tie parameter has no most likely strengths: the further the spread, the likelier the ties. It
    cannot be done where a circle of comparisons, along wins and ties, holds more wins than ties (difference
    constraints: each win takes at least one step down, each tie at most one either way).
    """
    won, tied, lost = pairs.counts > 0
    if (won & lost).any():
        return False
    first, second = pairs.first, pairs.second
    step = np.full((pairs.k, pairs.k), np.inf)
    step[first[tied], second[tied]] = step[second[tied], first[tied]] = 1
    step[first[won], second[won]] = step[second[lost], first[lost]] = -1
    for via in range(pairs.k):
        step = np.minimum(step, step[:, via, None] + step[via])
        if (step.diagonal() < 0).any():
            return False
    return True


def maximise(model: Outcomes, pairs: Pairs, *, prior: float = 0.0, start: Fit | None = None) -> Fit | None:
    """Newton's method with halved steps where one would overshoot.

    Returns None where it does not settle: the likelihood has no maximum. Then only a prior gives one.
    """
    k, counts = pairs.k, pairs.counts
    at = np.zeros(k + 1)
    if start is not None:
        at[:k], at[k] = start.strengths, start.e
    else:
        at[:k], at[k] = _guess(pairs), model.start(counts[0].sum() + counts[2].sum(), counts[1].sum())
    value = _value(model, pairs, prior, at)
    for _ in range(_STEPS):
        try:
            step = np.linalg.solve(_information(model, pairs, prior, at), _gradient(model, pairs, prior, at))
        except np.linalg.LinAlgError:
            return None
        length = float(np.abs(step).max())
        if not np.isfinite(length):
            return None
        if length < _CLOSE:
            return _fit(model, pairs, prior, at + step)
        step *= min(1.0, _LONGEST / length)
        slack = 1e-12 * abs(value)
        while (found := _value(model, pairs, prior, at + step)) < value - slack:
            step /= 2
            if np.abs(step).max() < _CLOSE:
                return None
        at, value = at + step, found
    return None


def _guess(pairs: Pairs) -> Array:
    score = pairs.counts[0] + pairs.counts[1] / 2
    total = pairs.counts.sum(axis=0)
    won = np.bincount(pairs.first, score, pairs.k) + np.bincount(pairs.second, total - score, pairs.k)
    played = np.bincount(pairs.first, total, pairs.k) + np.bincount(pairs.second, total, pairs.k)
    scale = max(float(played.max()), 1e-300)
    odds = np.log((won + 0.01 * scale) / (played - won + 0.01 * scale))
    result: Array = odds - odds.mean()
    return result


def _value(model: Outcomes, pairs: Pairs, prior: float, at: Array) -> float:
    d = at[pairs.first] - at[pairs.second]
    extra = prior * float((log_sigmoid(at[:-1]) - at[:-1] / 2).sum()) if prior else 0.0
    return float(model.value(pairs.counts, d, at[-1])) + extra


def _gradient(model: Outcomes, pairs: Pairs, prior: float, at: Array) -> Array:
    in_d, in_e = model.gradient(pairs.counts, at[pairs.first] - at[pairs.second], at[-1])
    gradient = np.append(pairs.gather(in_d), in_e)
    if prior:
        gradient[:-1] += prior * (0.5 - sigmoid(at[:-1]))
    return gradient


def _information(model: Outcomes, pairs: Pairs, prior: float, at: Array) -> Array:
    """Without a prior the common level is free: a term that holds it makes the matrix invertible."""
    k = pairs.k
    matrix = pairs.assemble(model.curvature(pairs.counts, at[pairs.first] - at[pairs.second], at[-1]))
    if prior:
        p = sigmoid(at[:k])
        matrix[np.diag_indices(k)] += prior * p * (1 - p)
    else:
        matrix[:k, :k] += np.trace(matrix[:k, :k]) / k**2
    return matrix


def _fit(model: Outcomes, pairs: Pairs, prior: float, at: Array) -> Fit:
    k = pairs.k
    inverse: Array = np.linalg.inv(_information(model, pairs, prior, at)).astype(np.float64, copy=False)
    inverse[:k] -= inverse[:k].mean(axis=0)
    inverse[:, :k] -= inverse[:, :k].mean(axis=1, keepdims=True)
    if not model.has_tie_parameter:
        inverse[k] = inverse[:, k] = 0.0
    strengths = at[:k] - at[:k].mean()
    return Fit(strengths, float(at[k]) if model.has_tie_parameter else None, inverse, prior)
