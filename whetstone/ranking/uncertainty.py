"""How uncertain fitted strengths are: covariances that hold when the model does not.

Sources: White, "Maximum Likelihood Estimation of Misspecified Models", Econometrica 1982 (sandwich); Liang and Zeger,
"Longitudinal Data Analysis Using Generalized Linear Models", Biometrika 1986 (clusters), with the factor G / (G - 1) of
Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.likelihood import Fit, Pairs
from whetstone.ranking.ties import Curvature, Outcomes

Array = NDArray[np.float64]


def sandwich(model: Outcomes, pairs: Pairs, fit: Fit) -> Array:
    """[k + 1, k + 1] covariance of strengths and e, each comparison being independent of the others."""
    in_d, in_e = model.scores(fit.differences(pairs), fit.e)
    squared = pairs.squared
    meat = [(squared * product).sum(axis=0) for product in (in_d**2, in_d * in_e, in_e**2)]
    return _around(fit, pairs.assemble(Curvature(meat[0], meat[1], meat[2].sum())))


def clustered(model: Outcomes, comparisons: Comparisons, fit: Fit, cluster: NDArray[Any]) -> tuple[Array, int]:
    """The covariance when comparisons of a cluster depend on each other in any way, and the number of clusters.

    Args:
        cluster: [n] code of each comparison's cluster.

    Raises:
        TaskError: fewer than two clusters.
    """
    k, n = len(comparisons.names), len(comparisons)
    code, member = np.unique(cluster, return_inverse=True)
    if len(code) < 2:
        raise TaskError("all comparisons are in one cluster, which says nothing about how clusters differ")
    difference = fit.strengths[comparisons.left] - fit.strengths[comparisons.right]
    in_d, in_e = model.scores(difference, fit.e)
    outcome = 1 - comparisons.outcome.astype(np.intp)
    weight = np.ones(n) if comparisons.weight is None else comparisons.weight
    row = np.arange(n)
    d, e = in_d[outcome, row] * weight, in_e[outcome, row] * weight
    values = np.concatenate([d, -d, e])
    columns = np.concatenate([comparisons.left, comparisons.right, np.full(n, k)])
    sums = scipy.sparse.csr_array((values, (np.tile(member, 3), columns)), shape=(len(code), k + 1))
    meat = (sums.T @ sums).toarray()
    return _around(fit, meat) * (len(code) / (len(code) - 1)), len(code)


def _around(fit: Fit, meat: Array) -> Array:
    result: Array = fit.inverse @ meat @ fit.inverse
    return (result + result.T) / 2
