"""Strengths refitted to resampled counts, every round to the end.

Rows, or clusters of rows, are drawn with Poisson frequencies of mean 1. For independent rows that is a Poisson draw for
each cell of the counts, so that a round costs the same for a thousand comparisons and for a billion. Many rounds are
solved at once, from the fit of all data; what has not settled then is solved alone.

Source: Hanley and MacGibbon, "Creating Non-Parametric Bootstrap Samples Using Poisson Frequencies", Computer Methods
and Programs in Biomedicine 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.diagnosis import identified
from whetstone.ranking.likelihood import Fit, Pairs, maximise, model_of, ties_separate
from whetstone.ranking.ties import Outcomes, sigmoid

Array = NDArray[np.float64]

_BLOCK = 1 << 16
"""Numbers that a block of rounds works on at a time, so that they stay in the processor's cache."""
_LARGEST = 1 << 24
_UNITS = 1 << 14
"""Clusters are put together at random into at most so many. Sets of independent clusters are independent, so that the
covariance stays unbiased; with so many its own error is about 1 %."""
_CHORDS = 6
_NEWTONS = 6
_RIDGE = 1e-9
_CLOSE = 1e-9
_LONGEST = 4.0


class Bootstrap(NamedTuple):
    """Refitted strengths.

    Attributes:
        strengths: [rounds, k], each centred to mean 0.
        with_prior: rounds whose comparisons did not identify the strengths, so that the prior stepped in.
    """

    strengths: Array
    with_prior: int


def bootstrap(
    ties: str,
    comparisons: Comparisons | None,
    pairs: Pairs,
    fit: Fit,
    *,
    rounds: int,
    seed: int,
    cluster: NDArray[Any] | None = None,
    prior: float = 1.0,
) -> Bootstrap:
    """Refit the strengths to resampled counts.

    Args:
        ties: name of the model in `TIES`.
        comparisons: the rows; needed only where they have weights or clusters.
        pairs: their counts.
        fit: the fit of all data, where each round starts.
        rounds: number of refits.
        cluster: [n] code of each row's cluster; None: rows are independent.
        prior: weight of the prior in rounds that do not identify the strengths, where `fit` has none.

    Raises:
        ConfigError: no rounds.
    """
    if rounds < 1:
        raise ConfigError(f"a bootstrap of {rounds} rounds; ask for at least 1")
    rng = np.random.default_rng(seed)
    source = _source(comparisons, pairs, cluster, rng)
    model = model_of(ties, pairs)
    step = max(1, min(_BLOCK // len(pairs.first), _LARGEST // len(source.frequency)))
    strengths = np.empty((rounds, pairs.k))
    with_prior = 0
    for start in range(0, rounds, step):
        here = strengths[start : start + step]
        counts = source.draw(rng, len(here))
        here[:], settled = _settle(model, pairs, counts, fit)
        for i in np.flatnonzero(~settled):
            one = Pairs(pairs.k, pairs.first, pairs.second, counts[:, :, i], counts[:, :, i])
            spread = model.has_tie_parameter and ties_separate(one)
            alone = fit.prior > 0 or (identified(one.beat) and not spread)
            found = maximise(model_of(ties, one), one, prior=fit.prior) if alone else None
            if found is None:
                with_prior += 1
                found = maximise(model_of(ties, one), one, prior=prior)
            assert found is not None, "under a prior the likelihood has a maximum"
            here[i] = found.strengths
    return Bootstrap(strengths, with_prior)


@dataclass(frozen=True)
class _Source:
    """What is resampled: units that occur `frequency` times, each with its weights of the cells [units, 3 m]."""

    frequency: Array
    content: Any | None
    pairs: int

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """[3, m, size] resampled counts."""
        drawn = rng.poisson(self.frequency[:, None], (len(self.frequency), size)).astype(np.float64)
        if self.content is not None:
            drawn = self.content.T @ drawn
        return drawn.reshape(3, self.pairs, size)


def _source(
    comparisons: Comparisons | None, pairs: Pairs, cluster: NDArray[Any] | None, rng: np.random.Generator
) -> _Source:
    m = len(pairs.first)
    if comparisons is None or (cluster is None and comparisons.weight is None):
        return _Source(pairs.counts.ravel(), None, m)
    number = np.full((pairs.k, pairs.k), -1)
    number[pairs.first, pairs.second] = np.arange(m)
    low, high = np.minimum(comparisons.left, comparisons.right), np.maximum(comparisons.left, comparisons.right)
    swapped = np.where(comparisons.left < comparisons.right, 1, -1)
    cell = (1 - comparisons.outcome.astype(np.intp) * swapped) * m + number[low, high]
    weight = np.ones(len(cell)) if comparisons.weight is None else comparisons.weight
    cell, weight = cell[weight > 0], weight[weight > 0]
    if cluster is not None:
        cluster = cluster if comparisons.weight is None else cluster[comparisons.weight > 0]
        unit = np.unique(cluster, return_inverse=True)[1]
        many = int(unit.max()) + 1
        if many > _UNITS:
            unit = rng.permutation(many)[unit] % _UNITS
        frequency: NDArray[Any] = np.ones(min(many, _UNITS))
    else:
        kinds, frequency = np.unique(np.stack([cell, weight], axis=1), axis=0, return_counts=True)
        cell, weight, unit = kinds[:, 0].astype(np.intp), kinds[:, 1], np.arange(len(kinds))
    content = scipy.sparse.csr_array((weight, (unit, cell)), shape=(len(frequency), 3 * m))
    return _Source(frequency.astype(np.float64), content, m)


def _settle(model: Outcomes, pairs: Pairs, counts: Array, fit: Fit) -> tuple[Array, NDArray[np.bool_]]:
    """[size, k] strengths after some steps from `fit`, and [size] which of them have settled at the only maximum.

    A few steps use the slope at `fit` for all rounds; rounds that need more take Newton steps with their own.
    """
    k, size = pairs.k, counts.shape[2]
    at = np.repeat(np.append(fit.strengths, fit.e)[:, None], size, axis=1)
    settled = np.zeros(size, dtype=bool)
    gather = _Gather(pairs)
    for _ in range(_CHORDS):
        step = fit.inverse @ _gradient(model, pairs, counts, fit.prior, at, gather)
        at += np.clip(step, -_LONGEST, _LONGEST)
        settled = np.abs(step).max(axis=0) < _CLOSE
        if settled.all():
            break
    for _ in range(_NEWTONS):
        left = np.flatnonzero(~settled)
        if not len(left):
            break
        here, drawn = at[:, left], counts[:, :, left]
        gradient = _gradient(model, pairs, drawn, fit.prior, here, gather)
        slope = _information(model, pairs, drawn, fit.prior, here, gather)
        step = np.linalg.solve(slope, gradient.T[:, :, None])[:, :, 0].T.astype(np.float64, copy=False)
        at[:, left] += np.clip(step, -_LONGEST, _LONGEST)
        settled[left] = np.abs(step).max(axis=0) < _CLOSE
    # Where a round's comparisons are connected, a point without slope is the only maximum.
    connected = (counts[:, _tree(pairs)].sum(axis=0) > 0).all(axis=0)
    if model.has_tie_parameter:
        # A pair that both won: ties do not separate (see `ties_separate`), which is looked up alone otherwise.
        connected &= ((counts[0] > 0) & (counts[2] > 0)).any(axis=0)
    return (at[:k] - at[:k].mean(axis=0)).T, settled & np.isfinite(at).all(axis=0) & (connected | (fit.prior > 0))


def _gradient(model: Outcomes, pairs: Pairs, counts: Array, prior: float, at: Array, gather: _Gather) -> Array:
    """[k + 1, size] slope of each round's log-likelihood."""
    in_d, in_e = model.gradient(counts, at[pairs.first] - at[pairs.second], at[-1])
    gradient = np.concatenate([gather(in_d), in_e[None]])
    if prior:
        gradient[:-1] += prior * (0.5 - sigmoid(at[:-1]))
    return gradient


def _information(model: Outcomes, pairs: Pairs, counts: Array, prior: float, at: Array, gather: _Gather) -> Array:
    """[size, k + 1, k + 1] negative curvature, with a trace of a ridge so that none is singular."""
    k, size = pairs.k, counts.shape[2]
    curvature = model.curvature(counts, at[pairs.first] - at[pairs.second], at[-1])
    matrix = np.zeros((size, k + 1, k + 1))
    matrix[:, pairs.first, pairs.second] = matrix[:, pairs.second, pairs.first] = -curvature.dd.T
    diagonal = np.arange(k)
    matrix[:, diagonal, diagonal] = -matrix[:, :k, :k].sum(axis=2)
    matrix[:, :k, k] = matrix[:, k, :k] = gather(curvature.de).T
    matrix[:, k, k] = curvature.ee
    scale = np.trace(matrix[:, :k, :k], axis1=1, axis2=2)[:, None, None] / k**2
    if prior:
        p = sigmoid(at[:k]).T
        matrix[:, diagonal, diagonal] += prior * p * (1 - p)
    else:
        matrix[:, :k, :k] += scale
    matrix += (_RIDGE * scale + np.finfo(float).tiny) * np.eye(k + 1)
    return matrix


def _tree(pairs: Pairs) -> NDArray[np.intp]:
    """The k - 1 pairs of a tree that connects all systems along their most frequent comparisons."""
    total = np.zeros((pairs.k, pairs.k))
    number = np.full((pairs.k, pairs.k), -1)
    total[pairs.first, pairs.second] = total[pairs.second, pairs.first] = pairs.counts.sum(axis=0)
    number[pairs.first, pairs.second] = number[pairs.second, pairs.first] = np.arange(len(pairs.first))
    best, via = total[0].copy(), np.zeros(pairs.k, dtype=np.intp)
    inside = np.zeros(pairs.k, dtype=bool)
    inside[0] = True
    chosen = []
    for _ in range(pairs.k - 1):
        new = int(np.argmax(np.where(inside, -1.0, best)))
        chosen.append(number[via[new], new])
        inside[new] = True
        closer = total[new] > best
        best, via = np.where(closer, total[new], best), np.where(closer, new, via)
    return np.array(chosen)


class _Gather:
    """Sums [m, size] values of pairs by system, with a minus where it is second."""

    def __init__(self, pairs: Pairs) -> None:
        self.k = pairs.k
        self.rows, self.starts = np.unique(pairs.first, return_index=True)
        self.turn = np.argsort(pairs.second, kind="stable")
        self.columns, self.turned = np.unique(pairs.second[self.turn], return_index=True)

    def __call__(self, values: Array) -> Array:
        total = np.zeros((self.k, values.shape[1]))
        total[self.rows] = np.add.reduceat(values, self.starts)
        total[self.columns] -= np.add.reduceat(values[self.turn], self.turned)
        return total
