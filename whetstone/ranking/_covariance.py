"""Robust covariances from the gradients of rows, clustered or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.core.types import Json
from whetstone.ranking._newton import Floats


@dataclass(frozen=True, eq=False)
class Spread:
    """A covariance [p, p], what it is called, its degrees of freedom (clusters - 1, or None for the normal), and what
    else to know of it."""

    covariance: Floats
    kind: str
    freedom: float | None = None
    notes: tuple[str, ...] = ()


ALONE = "all comparisons are of one group: intervals take them as independent, and are for it alone"


def alone(groups: NDArray[Any] | None) -> bool:
    """Are all rows of one group, though there are several?"""
    return groups is not None and len(groups) > 1 and bool((groups == groups[0]).all())


def robust(bread: Floats, scores: Any, weight: Floats, groups: NDArray[Any] | None, *, trusted: bool = True) -> Spread:
    """The covariance that holds even where rows of a cluster depend on each other or the model is wrong.

    Args:
        bread: [p, p] inverse information.
        scores: [n, p] gradient of each row, sparse or dense, without its weight.
        weight: [n]
        groups: [n] cluster codes; None: each row is its own, as it is where all are in one cluster (with a note).
        trusted: False gives `bread` itself, for data whose residuals say nothing (see `Grounds.robust`).

    Source: White, "Maximum likelihood estimation of misspecified models" (1982); clustered: Cameron and Miller, "A
    practitioner's guide to cluster-robust inference" (2015).
    """
    if not trusted:
        return Spread(bread, "model")
    notes = (ALONE,) if alone(groups) else ()
    groups = None if notes else groups
    sums = cluster_sums(scores, weight, groups)
    units = sums.shape[0]
    if units < 2:
        raise TaskError("one comparison alone says nothing about how comparisons differ")
    meat = sums.T @ sums
    meat = meat.toarray() if scipy.sparse.issparse(meat) else meat
    covariance = np.asarray(bread @ meat @ bread * (units / (units - 1)))
    return Spread(covariance, "sandwich", None, notes) if groups is None else Spread(covariance, "group", units - 1)


def cluster_sums(scores: Any, weight: Floats, groups: NDArray[Any] | None) -> Any:
    """[G, p] weighted sums of the rows of each cluster that occurs."""
    n = len(weight)
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(codes.max()) + 1
    return scipy.sparse.csr_array((weight, (codes, np.arange(n))), shape=(units, n)) @ scores


def effects(names: Sequence[str], values: Floats, spread: Spread, level: float) -> dict[str, Json]:
    """Parameters after the strengths, by name: value, standard error, limits and the p of 0.

    Args:
        names: of the last parameters.
        values: [q] their values.
    """
    stderr = np.sqrt(np.maximum(spread.covariance.diagonal()[-len(names) :], 0.0)) if names else np.zeros(0)
    law = scipy.stats.norm() if spread.freedom is None else scipy.stats.t(spread.freedom)
    half = float(law.ppf((1 + level) / 2)) * stderr
    return {
        name: {
            "value": float(value),
            "stderr": float(error) or None,
            "low": float(value - width),
            "high": float(value + width),
            "p": float(2 * law.sf(abs(value) / error)) if error else None,
        }
        for name, value, error, width in zip(names, values, stderr, half, strict=True)
    }
