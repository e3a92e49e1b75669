"""Models of one comparison: how likely a win, a tie and a loss are at a difference in strength.

Each model gives the log-likelihood of counted outcomes and its derivatives in d, the difference in strength (left minus
right, in natural log-odds), and e, the model's tie parameter. All of them are concave in (d, e) jointly, so that a
maximum is the maximum. Counts are [3, m, ...]: left won, tie, right won, for each of m pairs and, after that, for each
of many data sets where there are many (bootstrap rounds); d is [m, ...] and e [...].

Sources: Bradley and Terry, "Rank Analysis of Incomplete Block Designs: I", Biometrika 1952 (model); Rao and Kupper,
"Ties in Paired-Comparison Experiments: A Generalization of the Bradley-Terry Model", JASA 1967, their theta is exp(e);
Davidson, "On Extending the Bradley-Terry Model to Accommodate Ties in Paired Comparison Experiments", JASA 1970, his
nu is exp(e).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Curvature(NamedTuple):
    """Negative second derivatives of the log-likelihood: [m, ...] in (d, d) and (d, e), [...] in (e, e)."""

    dd: Array
    de: Array
    ee: Array


class Outcomes(Protocol):
    """A model of one comparison."""

    has_tie_parameter: bool

    def value(self, counts: Array, d: Array, e: Array) -> Array:
        """[...] log-likelihood, up to a constant."""
        ...

    def gradient(self, counts: Array, d: Array, e: Array) -> tuple[Array, Array]:
        """Derivatives in d [m, ...] and in e [...]."""
        ...

    def curvature(self, counts: Array, d: Array, e: Array) -> Curvature:
        """What Newton's method and the inverse of the information need."""
        ...

    def scores(self, d: Array, e: Array) -> tuple[Array, Array]:
        """[3, m, ...] derivatives in d and in e of one comparison's log-likelihood, for each outcome."""
        ...

    def start(self, decided: float, tied: float) -> float:
        """Where to begin the search for e, from the total weights of decided and tied comparisons."""
        ...


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    half: Array = np.tanh(x * 0.5)
    half += 1.0
    half *= 0.5
    return half


def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x)) without overflow."""
    result: Array = np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))
    return result


class HalfTies:
    """Bradley-Terry; a tie is half a win for each. Without ties it is the exact likelihood."""

    has_tie_parameter = False

    def value(self, counts: Array, d: Array, e: Array) -> Array:
        total = counts.sum(axis=0)
        result: Array = (total * log_sigmoid(d) - (counts[2] + counts[1] * 0.5) * d).sum(axis=0)
        return result

    def gradient(self, counts: Array, d: Array, e: Array) -> tuple[Array, Array]:
        half = np.tanh(d * 0.5)
        half *= counts[0] + counts[1] + counts[2]
        return (counts[0] - counts[2] - half) * 0.5, np.zeros(d.shape[1:])

    def curvature(self, counts: Array, d: Array, e: Array) -> Curvature:
        p = sigmoid(d)
        return Curvature(counts.sum(axis=0) * p * (1 - p), np.zeros_like(d), np.ones(d.shape[1:]))

    def scores(self, d: Array, e: Array) -> tuple[Array, Array]:
        p = sigmoid(d)
        return np.stack([1 - p, 0.5 - p, -p]), np.zeros((3, *d.shape))

    def start(self, decided: float, tied: float) -> float:
        return 0.0


class Davidson:
    """Win, tie and loss with odds exp(d / 2) : nu : exp(-d / 2), where nu = exp(e)."""

    has_tie_parameter = True

    def value(self, counts: Array, d: Array, e: Array) -> Array:
        norm = np.logaddexp(np.logaddexp(d / 2, -d / 2), e)
        result: Array = (counts[0] * (d / 2 - norm) + counts[1] * (e - norm) + counts[2] * (-d / 2 - norm)).sum(axis=0)
        return result

    def gradient(self, counts: Array, d: Array, e: Array) -> tuple[Array, Array]:
        win, tie, loss = _davidson(d, e)
        total = counts.sum(axis=0)
        in_e: Array = (counts[1] - total * tie).sum(axis=0)
        return (counts[0] - counts[2] - total * (win - loss)) / 2, in_e

    def curvature(self, counts: Array, d: Array, e: Array) -> Curvature:
        win, tie, loss = _davidson(d, e)
        total = counts.sum(axis=0)
        return Curvature(
            total * (win + loss - (win - loss) ** 2) / 4,
            -total * tie * (win - loss) / 2,
            (total * tie * (1 - tie)).sum(axis=0),
        )

    def scores(self, d: Array, e: Array) -> tuple[Array, Array]:
        win, tie, loss = _davidson(d, e)
        middle = (win - loss) / 2
        return np.stack([0.5 - middle, -middle, -0.5 - middle]), np.stack([-tie, 1 - tie, -tie])

    def start(self, decided: float, tied: float) -> float:
        return float(np.log(2 * tied / decided))


def _davidson(d: Array, e: Array) -> tuple[Array, Array, Array]:
    top = np.maximum(np.abs(d) / 2, e)
    win, tie, loss = np.exp(d / 2 - top), np.exp(e - top), np.exp(-d / 2 - top)
    total = win + tie + loss
    return win / total, tie / total, loss / total


class RaoKupper:
    """A side wins with probability sigmoid(d - e) or sigmoid(-d - e); what is left are ties. e is above 0."""

    has_tie_parameter = True

    def value(self, counts: Array, d: Array, e: Array) -> Array:
        if (e <= 0).any():
            return np.full(d.shape[1:], -np.inf)
        left, right = counts[0] + counts[1], counts[2] + counts[1]
        parts = left * log_sigmoid(d - e) + right * log_sigmoid(-d - e) + counts[1] * np.log(np.expm1(2 * e))
        result: Array = parts.sum(axis=0)
        return result

    def gradient(self, counts: Array, d: Array, e: Array) -> tuple[Array, Array]:
        left, right = (counts[0] + counts[1]) * sigmoid(e - d), (counts[2] + counts[1]) * sigmoid(e + d)
        in_e: Array = (counts[1] * (2 / -np.expm1(-2 * e)) - left - right).sum(axis=0)
        return left - right, in_e

    def curvature(self, counts: Array, d: Array, e: Array) -> Curvature:
        p, q = sigmoid(e - d), sigmoid(e + d)
        left, right = (counts[0] + counts[1]) * p * (1 - p), (counts[2] + counts[1]) * q * (1 - q)
        in_e: Array = (left + right + counts[1] / np.sinh(e) ** 2).sum(axis=0)
        return Curvature(left + right, right - left, in_e)

    def scores(self, d: Array, e: Array) -> tuple[Array, Array]:
        p, q = sigmoid(e - d), sigmoid(e + d)
        return np.stack([p, p - q, -q]), np.stack([-p, 2 / -np.expm1(-2 * e) - p - q, -q])

    def start(self, decided: float, tied: float) -> float:
        return float(np.log1p(2 * tied / decided))


TIES: dict[str, Outcomes] = {"half": HalfTies(), "davidson": Davidson(), "rao_kupper": RaoKupper()}
"""The models by the name of what they do with ties."""
