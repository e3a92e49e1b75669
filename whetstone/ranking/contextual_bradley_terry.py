"""Bradley-Terry or Davidson strengths with covariates: strengths at equal order, length and style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.ranking import _davidson as davidson
from whetstone.ranking._covariance import effects, robust
from whetstone.ranking._newton import Derivatives, Floats, Maximum, inverse, maximise
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.covariates import position as shown_first
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_contextual_bradley_terry.py::test_finds_planted_effects_and_strengths")
def contextual_bradley_terry(
    comparisons: Comparisons,
    *,
    covariates: Mapping[str, ArrayLike] | None = None,
    position: bool = True,
    ties: Literal["half", "davidson"] = "half",
    prior: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Strengths at equal covariates, with the effect of each covariate on the judges.

    Args:
        comparisons: rows; `left_first` says which was shown first.
        covariates: name -> [n], positive where it favours the left system (see `covariates`).
        position: estimate the advantage of being shown first.
        ties: "half" a win for each, or "davidson" with a tie parameter.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0; None: none where the
            data identify the strengths, else 1.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log-odds [k] with mean 0 and a sandwich covariance, clustered by group where there is one.
        `settings["effects"]` holds the effect of one unit of each covariate on the log-odds, with limits and p, and
        the tie parameter.

    Raises:
        TaskError: a covariate that is not [n] finite numbers, or that differences of strengths explain completely.

    Source: home advantage in Agresti, "Categorical data analysis" (2013), section 11.6; Davidson, "On extending the
    Bradley-Terry model to accommodate ties" (1970); style control in Chiang et al., "Chatbot Arena" (2024).
    """
    k, n = len(comparisons.names), len(comparisons)
    given = {"shown first": shown_first(comparisons)} if position else {}
    given |= {name: _checked(name, values, n) for name, values in (covariates or {}).items()}
    columns = np.stack(list(given.values()), axis=1) if given else np.zeros((n, 0))
    tied = ties == "davidson" and bool((comparisons.outcome == 0).any())
    grounds = grounds_of(count(comparisons), prior)
    rows, p = davidson.rows_of(comparisons), len(given)
    tie_columns = np.ones((n, int(tied)))

    def terms(theta: Floats) -> davidson.Terms:
        eta = theta[rows.left] - theta[rows.right] + columns @ theta[k : k + p]
        return davidson.terms(rows, eta, float(theta[-1]) if tied else None)

    def derivatives(theta: Floats) -> Derivatives:
        found, (value, slope, curve) = terms(theta), grounds.anchor(theta[:k])
        gradient = davidson.gradient(rows, found, 1.0, columns, tie_columns)
        information = davidson.information(rows, found, 1.0, columns, tie_columns)
        gradient[:k] += slope
        information[:k, :k] += curve
        return value + float(rows.weight @ found.value), gradient, information

    start = np.zeros(k + p + int(tied))
    _refuse_confounded(list(given), derivatives(start)[2], k)
    fit = maximise(derivatives, start, grounds.free)
    bread = _bread(fit, given, k, grounds.free)
    scores = davidson.scores(rows, terms(fit.parameters), 1.0, columns, tie_columns)
    spread = robust(bread, scores, rows.weight, comparisons.group, trusted=grounds.robust)
    names = [*given, "log tie parameter"][: len(start) - k]
    return ranked(
        "contextual_bradley_terry",
        comparisons.names,
        fit.parameters[:k] - fit.parameters[:k].mean(),
        spread,
        n=n,
        level=level,
        seed=seed,
        settings={
            "scale": "natural log-odds",
            "ties": ties,
            "prior": grounds.weight,
            "effects": effects(names, fit.parameters[k:], spread, level),
        },
        notes=(*left_out(comparisons), *grounds.notes),
        part=grounds.part,
    )


def _checked(name: str, values: ArrayLike, n: int) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n,):
        raise TaskError(f"covariate {name!r} has the shape {column.shape} for {n} comparisons")
    if not np.isfinite(column).all():
        row = int(np.argmin(np.isfinite(column)))
        raise TaskError(f"row {row + 1}, covariate {name!r}: {column[row]} is not a finite number")
    return column


def _refuse_confounded(names: list[str], information: Floats, k: int) -> None:
    """What is left of the covariates' information when strengths may take their part must not vanish."""
    p = len(names)
    own, shared = information[k : k + p, k : k + p], information[:k, k : k + p]
    if not p:
        return
    size = np.sqrt(np.maximum(own.diagonal(), 1e-300))
    left = own - shared.T @ np.linalg.pinv(information[:k, :k], hermitian=True) @ shared
    values, vectors = np.linalg.eigh(left / np.outer(size, size))
    if values[0] < 1e-9:
        which = [names[i] for i in np.flatnonzero(np.abs(vectors[:, 0]) > 0.1)]
        raise TaskError(
            f"covariate {', '.join(which)}: the same in every comparison of a pair, so it cannot be told from strength"
        )


def _bread(fit: Maximum, given: Mapping[str, Floats], k: int, free: int) -> Floats:
    """Inverse information, unless a covariate decides every comparison: then its effect has no finite estimate."""
    information = fit.information
    decisive = [
        name
        for i, (name, column) in enumerate(given.items(), k)
        if information[i, i] < 1e-4 * (size := float(np.mean(column**2))) and abs(fit.parameters[i]) * size**0.5 > 5
    ]
    if decisive:
        raise TaskError(f"covariate {', '.join(decisive)}: decides every comparison, so no finite effect fits")
    return inverse(information, k, free)
