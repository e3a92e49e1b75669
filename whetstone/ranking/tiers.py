"""Which systems can be told apart, the ranks that this leaves open, and tiers; all statements right at once.

Every ordered pair is a hypothesis "this one is not better than that one". They are tested together: a studentised
difference counts when it exceeds a quantile of the largest studentised difference under pure noise, where the noise is
drawn from the scores' covariance or comes from a bootstrap; rejected hypotheses then leave the family and the quantile
is taken again. The chance that any statement is wrong stays below 1 - level.

Sources: Romano and Wolf, "Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing", JASA 2005
(algorithm); Mogstad, Romano, Shaikh and Wilhelm, "Inference for Ranks with Applications to Mobility across
Neighbourhoods and Academic Achievement across Countries", Review of Economic Studies 2024 (confidence sets for ranks);
Mirsky, "A Dual of Dilworth's Decomposition Theorem", American Mathematical Monthly 1971 (tiers as the fewest groups
without a decided pair).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Single = NDArray[np.float32]


class Separation(NamedTuple):
    """What can be said of all pairs at once.

    Attributes:
        better: [k, k] is the row's system better than the column's?
        critical: what a studentised difference had to exceed in the last step.
    """

    better: NDArray[np.bool_]
    critical: float


def noise(covariance: Array, *, draws: int, seed: int, freedom: float | None = None) -> Array:
    """[draws, k] errors of the scores: normal, or t with so many degrees of freedom."""
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(covariance)
    drawn: Array = rng.standard_normal((draws, len(covariance))) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    if freedom is not None:
        drawn *= np.sqrt(freedom / rng.chisquare(freedom, size=(draws, 1)))
    return drawn


def separate(
    scores: Array, covariance: Array, errors: Array, *, level: float = 0.95, part: NDArray[np.intp] | None = None
) -> Separation:
    """Tell apart what can be told apart, with family-wise confidence `level`.

    Args:
        scores: [k].
        covariance: [k, k] of the scores.
        errors: [draws, k] errors of the scores, from `noise` or as bootstrap scores minus scores.
        part: [k] systems of different parts are never told apart, since no comparisons connect them.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    spread = _spread(covariance[np.ix_(order, order)])
    studentised = (ranked[:, None] - ranked[None, :]) / spread
    comparable = np.triu(np.ones(spread.shape, dtype=bool), 1)
    if part is not None:
        comparable &= part[order][:, None] == part[order][None, :]
    drawn = np.ascontiguousarray(errors[:, order].T, dtype=np.float32)
    scale = np.minimum(1 / spread, 1e30).astype(np.float32)
    ahead, behind = _extremes(drawn, scale)
    better = np.zeros(spread.shape, dtype=bool)
    while True:
        critical = _quantile(np.maximum(ahead, behind), level)
        found = comparable & (studentised > critical)
        if (found == better).all():
            break
        better = found
        ahead = _largest(drawn, scale, np.triu(~better, 1))
    result = np.zeros_like(better)
    result[np.ix_(order, order)] = better
    return Separation(result, critical)


def ranks(better: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """[k] best and worst rank, from 1, that each system can have when all of `better` is true."""
    return 1 + better.sum(axis=0), len(better) - better.sum(axis=1)


def tiers(better: NDArray[np.bool_]) -> NDArray[np.intp]:
    """[k] tier from 1: one more than the lowest tier among the systems that are better for sure.

    No two systems of a tier are told apart, there are no fewer tiers with that property, and a system of tier t has at
    least t - 1 systems above it, each better than the next: with the confidence of `better`, no system stands in a
    lower tier than the truth has levels for, and equal systems form one tier.
    """
    tier = np.ones(len(better), dtype=np.intp)
    for system in np.argsort(better.sum(axis=0), kind="stable"):
        above = better[:, system]
        if above.any():
            tier[system] = tier[above].max() + 1
    return tier


def _spread(covariance: Array) -> Array:
    variance = np.diag(covariance)
    spread = variance[:, None] + variance[None, :] - 2 * covariance
    result: Array = np.sqrt(np.maximum(spread, 1e-60))
    return result


def _quantile(largest: Single, level: float) -> float:
    """The order statistic that a new draw exceeds with a chance of at most 1 - level."""
    place = min(len(largest), int(np.ceil((len(largest) + 1) * level)))
    return float(np.partition(largest, place - 1)[place - 1])


def _extremes(drawn: Single, scale: Single) -> tuple[Single, Single]:
    """[draws] largest studentised difference in favour of the better-placed one of a pair, and against it."""
    ahead, behind = np.zeros(drawn.shape[1], np.float32), np.zeros(drawn.shape[1], np.float32)
    buffer = np.empty_like(drawn)
    for i in range(len(drawn) - 1):
        difference = np.subtract(drawn[i], drawn[i + 1 :], out=buffer[i + 1 :])
        difference *= scale[i, i + 1 :, None]
        np.maximum(ahead, difference.max(axis=0), out=ahead)
        np.minimum(behind, difference.min(axis=0), out=behind)
    return ahead, -behind


def _largest(drawn: Single, scale: Single, family: NDArray[np.bool_]) -> Single:
    """[draws] largest studentised difference of the pairs in the family."""
    largest = np.zeros(drawn.shape[1], np.float32)
    for i in np.flatnonzero(family.any(axis=1)):
        others = np.flatnonzero(family[i])
        difference = (drawn[i] - drawn[others]) * scale[i, others, None]
        np.maximum(largest, difference.max(axis=0), out=largest)
    return largest
