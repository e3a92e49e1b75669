"""How uncertain fitted strengths are: covariances that hold when the model does not.

Sources: White, "Maximum Likelihood Estimation of Misspecified Models", Econometrica 1982 (sandwich); Liang and Zeger,
"Longitudinal Data Analysis Using Generalized Linear Models", Biometrika 1986 (clusters), with the factor G / (G - 1) of
Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.core.types import Json
from whetstone.ranking._covariance import ALONE, Spread, alone
from whetstone.ranking.bootstrap import bootstrap
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.likelihood import Fit, Pairs
from whetstone.ranking.strengths import STEPPING_IN, Strengths
from whetstone.ranking.tiers import noise
from whetstone.ranking.ties import Curvature, Outcomes

Array = NDArray[np.float64]

VANISHING = 1e-9
"""Share of the model's variance below which a sandwich's only shows that there are no residuals."""
COVARIANCES = ("auto", "sandwich", "model", "group", "judge")


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What a fit does not know.

    Attributes:
        covariance: [k, k] of the strengths.
        low, high: [k] limits of each strength.
        errors: [draws, k] draws of the strengths' errors, for statements about many of them at once.
        settings, notes: how this was found, as in `Ranking`.
    """

    covariance: Array
    low: Array
    high: Array
    errors: Array
    settings: dict[str, Json]
    notes: tuple[str, ...]


def uncertainty(
    comparisons: Comparisons,
    found: Strengths,
    ties: str,
    *,
    level: float,
    covariance: str,
    rounds: int,
    draws: int,
    seed: int,
) -> Uncertainty:
    """Covariance, intervals and error draws of fitted strengths; the options are those of `bradley_terry`.

    Where the strengths are not `robust`, all of it comes from the model and its prior.

    Raises:
        TaskError: clusters of a kind that the comparisons do not have, or only one cluster.
    """
    fit, (kind, cluster, notes) = found.fit, _clusters(comparisons, covariance)
    spread, clusters = _spread(comparisons, found, kind, cluster)
    notes += spread.notes
    settings: dict[str, Json] = {"seed": seed}
    if clusters is not None:
        settings["clusters"] = clusters
    settings["covariance"] = spread.kind
    if not (rounds and found.robust and spread.kind == kind):
        width = _quantile((1 + level) / 2, spread.freedom) * np.sqrt(np.diag(spread.covariance))
        errors = noise(spread.covariance, draws=draws, seed=seed, freedom=spread.freedom)
        settings["draws"] = draws
        return Uncertainty(spread.covariance, fit.strengths - width, fit.strengths + width, errors, settings, notes)
    refitted = bootstrap(
        ties, comparisons, found.pairs, fit,
        rounds=rounds, seed=seed, cluster=cluster, prior=fit.prior or STEPPING_IN,
    )  # fmt: skip
    low, high = np.quantile(refitted.strengths, [(1 - level) / 2, (1 + level) / 2], axis=0)
    settings |= {"rounds": rounds, "covariance": "bootstrap" if cluster is None else f"bootstrap by {kind}"}
    if refitted.with_prior:
        notes += (f"{refitted.with_prior} of {rounds} rounds needed a prior",)
    errors = refitted.strengths - fit.strengths
    return Uncertainty(np.cov(refitted.strengths.T), low, high, errors, settings, notes)


def _clusters(comparisons: Comparisons, covariance: str) -> tuple[str, NDArray[Any] | None, tuple[str, ...]]:
    """Kind of covariance, [n] codes of its clusters if it has any, and what to know of the choice."""
    if covariance == "auto":
        if alone(comparisons.group):
            return "sandwich", None, (ALONE,)
        covariance = "sandwich" if comparisons.group is None else "group"
    if covariance not in ("group", "judge"):
        return covariance, None, ()
    cluster = comparisons.group if covariance == "group" else comparisons.judge
    if cluster is None:
        raise TaskError(f"the comparisons say nothing about their {covariance}, so that there are no such clusters")
    return covariance, cluster, ()


def _spread(
    comparisons: Comparisons, found: Strengths, kind: str, cluster: NDArray[Any] | None
) -> tuple[Spread, int | None]:
    """The strengths' covariance [k, k] of a kind, the model's where residuals do not show the uncertainty; clusters."""
    own, clusters = found.fit.inverse[:-1, :-1], None
    notes: tuple[str, ...] = ()
    if not found.robust:
        note = "intervals are the model's: residuals and resampling cannot show what never happened"
        return Spread(own, "model", notes=(note,)), None
    if kind == "model":
        return Spread(own, "model"), None
    if cluster is None:
        spread = sandwich(found.model, found.pairs, found.fit)[:-1, :-1]
    else:
        every, clusters = clustered(found.model, comparisons, found.fit, cluster)
        spread = every[:-1, :-1]
        if clusters <= found.pairs.k:
            notes = (f"only {clusters} clusters for {found.pairs.k} systems: their covariance is rough",)
    if (np.diag(spread) < VANISHING * np.diag(own)).any():
        note = "residuals of some systems vanish, as where all they have is ties: intervals are the model's"
        return Spread(own, "model", notes=(*notes, note)), clusters
    return Spread(spread, kind, None if clusters is None else clusters - 1, notes), clusters


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


def _quantile(probability: float, freedom: float | None) -> float:
    """Of the normal distribution, or of Student's t."""
    if freedom is None:
        return NormalDist().inv_cdf(probability)
    return float(scipy.special.stdtrit(freedom, probability))
