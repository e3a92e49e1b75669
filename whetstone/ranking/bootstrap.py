"""Strengths refitted to resampled counts, every round to the end.

Rows, or clusters of rows, are drawn with Poisson frequencies of mean 1. For independent rows that is a Poisson draw for
each cell of the counts, so that a round costs the same for a thousand comparisons and for a billion. A round is solved
by fixed-slope (chord) Newton steps from the fit of all data, many rounds at once; rounds that have not settled by then
are solved one by one.

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
from whetstone.ranking.likelihood import Fit, Pairs, maximise, model_of
from whetstone.ranking.ties import Outcomes, sigmoid

Array = NDArray[np.float64]

_BLOCK = 1 << 16
"""Numbers that a block of rounds works on at a time, so that they stay in the processor's cache."""
_LARGEST = 1 << 24
_CHORDS = 12
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
    source = _source(comparisons, pairs, cluster)
    model = model_of(ties, pairs)
    step = max(1, min(_BLOCK // len(pairs.first), _LARGEST // len(source.frequency)))
    strengths = np.empty((rounds, pairs.k))
    with_prior = 0
    for start in range(0, rounds, step):
        here = strengths[start : start + step]
        counts = source.draw(rng, len(here))
        here[:], settled = _chords(model, pairs, counts, fit)
        for i in np.flatnonzero(~settled):
            one = Pairs(pairs.k, pairs.first, pairs.second, counts[:, :, i], counts[:, :, i])
            found = maximise(model_of(ties, one), one, prior=fit.prior)
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


def _source(comparisons: Comparisons | None, pairs: Pairs, cluster: NDArray[Any] | None) -> _Source:
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
        frequency = np.ones(unit.max() + 1)
    else:
        kinds, frequency = np.unique(np.stack([cell, weight], axis=1), axis=0, return_counts=True)
        cell, weight, unit = kinds[:, 0].astype(np.intp), kinds[:, 1], np.arange(len(kinds))
    content = scipy.sparse.csr_array((weight, (unit, cell)), shape=(len(frequency), 3 * m))
    return _Source(frequency.astype(np.float64), content, m)


def _chords(model: Outcomes, pairs: Pairs, counts: Array, fit: Fit) -> tuple[Array, NDArray[np.bool_]]:
    """[size, k] strengths after some steps with the slope at `fit`, and [size] which of them have settled."""
    k, size = pairs.k, counts.shape[2]
    at = np.repeat(np.append(fit.strengths, fit.e)[:, None], size, axis=1)
    settled = np.zeros(size, dtype=bool)
    gather = _Gather(pairs)
    gradient = np.empty_like(at)
    for _ in range(_CHORDS):
        in_d, gradient[k] = model.gradient(counts, at[pairs.first] - at[pairs.second], at[k])
        gradient[:k] = gather(in_d)
        if fit.prior:
            gradient[:k] += fit.prior * (0.5 - sigmoid(at[:k]))
        step = np.clip(fit.inverse @ gradient, -_LONGEST, _LONGEST)
        at += step
        settled = np.abs(step).max(axis=0) < _CLOSE
        if settled.all():
            break
    return (at[:k] - at[:k].mean(axis=0)).T, settled & np.isfinite(at).all(axis=0)


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
