"""Strengths from rankings of several systems at a time: the best of each set is chosen, then the best of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.ranking._covariance import ALONE, alone, robust
from whetstone.ranking._newton import Derivatives, Floats, inverse, maximise
from whetstone.ranking._prior import Grounds, grounds_of
from whetstone.ranking._ranked import ranked
from whetstone.ranking.comparisons import Rankings, count
from whetstone.ranking.ranking import Ranking

MOST_TIED = 5


@method("ranking", checked="tests/ranking/test_plackett_luce.py::test_finds_the_planted_strengths")
def plackett_luce(rankings: Rankings, *, prior: float | None = None, level: float = 0.95, seed: int = 0) -> Ranking:
    """Plackett-Luce strengths by maximum likelihood, with a sandwich covariance clustered by group.

    Args:
        rankings: n rankings; systems that a row does not hold were not shown in it. Systems tied in a row stand in
            every order equally often, so that a tie of two is half a win for each.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0; None: none where the
            data identify the strengths, else 1.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log strengths [k] with mean 0, with covariance and limits.

    Raises:
        TaskError: more than five systems of a row are tied.

    Source: Luce, "Individual choice behavior" (1959); Plackett, "The analysis of permutations" (1975); likelihood as in
    Hunter, "MM algorithms for generalized Bradley-Terry models" (2004), maximised here by Newton's method.
    """
    k = len(rankings.names)
    grounds = grounds_of(count(rankings.pairs()), prior)
    order, row, weight = _untied(rankings)
    stages = list(_stages(order, weight))
    fit = maximise(lambda theta: _derivatives(theta, stages, grounds), np.zeros(k), grounds.free)
    bread = inverse(fit.information, k, grounds.free)
    single = alone(rankings.group)
    groups = row if rankings.group is None or single else rankings.group[row]
    spread = robust(bread, _scores(fit.parameters, order), weight, groups, trusted=grounds.robust)
    return ranked(
        "plackett_luce",
        rankings.names,
        fit.parameters - fit.parameters.mean(),
        spread,
        n=len(rankings),
        level=level,
        seed=seed,
        settings={"scale": "natural log-odds", "prior": grounds.weight},
        notes=(*grounds.notes, *((ALONE,) if single else ())),
        part=grounds.part,
    )


def _untied(rankings: Rankings) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Orders without ties [m, K], the ranking that each comes from [m], and its weight [m]."""
    order = rankings.order.astype(np.int64)
    if rankings.tied is None or not (rankings.tied[:, 1:] & (order[:, 1:] >= 0)).any():
        return order, np.arange(len(order)), np.ones(len(order))
    orders, rows, weights = [], [], []
    for row, (codes, tied) in enumerate(zip(order.tolist(), rankings.tied.tolist(), strict=True)):
        blocks: list[list[int]] = []
        for place, code in enumerate(codes):
            if place and tied[place] and code >= 0:
                blocks[-1].append(code)
            else:
                blocks.append([code])
        if max(map(len, blocks)) > MOST_TIED:
            raise TaskError(f"row {row + 1}: {max(map(len, blocks))} systems are tied; at most {MOST_TIED} can be")
        every = [sum(parts, ()) for parts in product(*(permutations(block) for block in blocks))]
        orders += every
        rows += [row] * len(every)
        weights += [1 / len(every)] * len(every)
    return np.asarray(orders, dtype=np.int64), np.asarray(rows), np.asarray(weights)


def _stages(order: NDArray[np.int64], weight: Floats) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Choices [m, size] with the chosen one first, and their weights [m]."""
    for place in range(order.shape[1] - 1):
        rest = order[:, place:]
        sizes = (rest >= 0).sum(axis=1)
        for size in np.unique(sizes[sizes >= 2]).tolist():
            yield rest[sizes == size, :size], weight[sizes == size]


def _derivatives(theta: Floats, stages: list[tuple[NDArray[np.int64], Floats]], grounds: Grounds) -> Derivatives:
    k = len(theta)
    value, gradient, information = grounds.anchor(theta)
    for codes, weight in stages:
        shown = theta[codes]
        value += float(weight @ (shown[:, 0] - scipy.special.logsumexp(shown, axis=1)))
        chance = scipy.special.softmax(shown, axis=1) * weight[:, None]
        gradient = gradient + np.bincount(codes[:, 0], weight, k) - np.bincount(codes.ravel(), chance.ravel(), k)
        joint = chance[:, :, None] * (chance / weight[:, None])[:, None, :]
        cells = codes[:, :, None] * k + codes[:, None, :]
        information = information - np.bincount(cells.ravel(), joint.ravel(), k * k).reshape(k, k)
        information[np.diag_indices(k)] += np.bincount(codes.ravel(), chance.ravel(), k)
    return value, gradient, information


def _scores(theta: Floats, order: NDArray[np.int64]) -> scipy.sparse.csr_array:
    """[m, k] gradient of each order's log-likelihood."""
    m, width = order.shape
    shown = np.where(order >= 0, theta[order], -np.inf)
    rest = np.logaddexp.accumulate(shown[:, ::-1], axis=1)[:, ::-1]
    stage = np.where((order >= 0).cumsum(axis=1) < (order >= 0).sum(axis=1)[:, None], -rest, -np.inf)
    reached = np.logaddexp.accumulate(stage, axis=1)
    chosen = np.arange(width) < (order >= 0).sum(axis=1)[:, None] - 1
    values = np.where(order >= 0, chosen - np.exp(shown + reached), 0.0)
    return scipy.sparse.csr_array(
        (values.ravel(), (np.repeat(np.arange(m), width), np.maximum(order, 0).ravel())), shape=(m, len(theta))
    )
