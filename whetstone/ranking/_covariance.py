"""Robust covariances from the gradients of rows, clustered or not, and the limits they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.types import Json
from whetstone.ranking._newton import Floats


def sandwich(bread: Floats, scores: Any, weight: Floats, groups: NDArray[Any] | None) -> Floats:
    """[p, p] covariance that holds even where rows of a cluster depend on each other or the model is wrong.

    Args:
        bread: [p, p] inverse information.
        scores: [n, p] gradient of each row, sparse or dense, without its weight.
        weight: [n]
        groups: [n] cluster codes; None: each row is its own.

    Clusters are few at times: the factor G / (G - 1) is that of CR1.

    Source: White, "Maximum likelihood estimation of misspecified models" (1982); clustered: Cameron and Miller, "A
    practitioner's guide to cluster-robust inference" (2015).
    """
    sums = cluster_sums(scores, weight, groups)
    units = sums.shape[0]
    meat = sums.T @ sums
    meat = meat.toarray() if scipy.sparse.issparse(meat) else np.asarray(meat)
    return np.asarray(bread @ meat @ bread) * units / max(units - 1, 1)


def cluster_sums(scores: Any, weight: Floats, groups: NDArray[Any] | None) -> Any:
    """[G, p] weighted sums of the rows of each cluster that occurs."""
    n = len(weight)
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(codes.max()) + 1
    return scipy.sparse.csr_array((weight, (codes, np.arange(n))), shape=(units, n)) @ scores


def limits(values: Floats, covariance: Floats, level: float) -> tuple[Floats, Floats]:
    """Lower and upper normal limits."""
    half = scipy.special.ndtri((1 + level) / 2) * np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    return values - half, values + half


def effects(
    names: Sequence[str], values: Floats, covariance: Floats, level: float, null: float = 0.0
) -> dict[str, Json]:
    """Parameters besides the strengths, by name: value, standard error, limits and p of the value `null`."""
    low, high = limits(values, covariance, level)
    stderr = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    found: dict[str, Json] = {}
    for i, name in enumerate(names):
        p = float(2 * scipy.special.ndtr(-abs(values[i] - null) / stderr[i])) if stderr[i] > 0 else None
        found[name] = {
            "value": float(values[i]),
            "stderr": float(stderr[i]) or None,
            "low": float(low[i]),
            "high": float(high[i]),
            "p": p,
        }
    return found
