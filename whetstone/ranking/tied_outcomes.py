"""Several outcomes of the same comparisons, such as preference and factuality, tied to one strength a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.ranking import _davidson as davidson
from whetstone.ranking._covariance import effects, robust
from whetstone.ranking._newton import Derivatives, Floats, inverse, maximise
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_tied_outcomes.py::test_finds_what_each_outcome_says_about_strength")
def tied_outcomes(
    outcomes: Mapping[str, Comparisons],
    *,
    ties: Literal["half", "davidson"] = "half",
    prior: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """One strength a system from several outcomes, each of which says more or less about strength.

    Args:
        outcomes: name -> comparisons over the same names; the first sets the scale. The outcomes of one comparison
            depend on each other: give them one group, or the same rows in each table.
        ties: "half" a win for each, or "davidson" with a tie parameter for each outcome that has ties.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0; None: none where the
            data identify the strengths, else 1.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log-odds [k] of the first outcome with mean 0. `settings["effects"]` holds for each other outcome by how much
        its log-odds follow the strengths: 1 as much as the first, 0 not at all, below 0 against it.

    Raises:
        TaskError: no outcome, or outcomes over different names.

    Source: a Bradley-Terry or Davidson model of each outcome whose log-odds are a_o (s_i - s_j) with a_1 = 1, fitted
    together by Fisher scoring; the a_o are discriminations as in Birnbaum's two-parameter logistic model (1968).
    """
    tables = list(outcomes.values())
    if not tables or any(table.names != tables[0].names for table in tables):
        raise TaskError("tied outcomes need at least one table, and the same names in the same order in each")
    k, others = len(tables[0].names), list(outcomes)[1:]
    rows, kind, groups = _stacked(tables)
    tied = [o for o, t in enumerate(tables) if ties == "davidson" and bool((t.outcome == 0).any())]
    which = np.eye(len(tables))[kind]
    tie_columns, free_slopes = which[:, tied], which[:, 1:]
    grounds, m = grounds_of(count(_joined(tables)), prior), len(others)

    def parts(theta: Floats) -> tuple[davidson.Terms, Floats, Floats]:
        gap, slope = theta[rows.left] - theta[rows.right], np.append(1.0, theta[k : k + m])[kind]
        delta = np.where(tie_columns.any(axis=1), tie_columns @ theta[k + m :], -np.inf) if tied else None
        return davidson.terms(rows, slope * gap, delta), slope, gap[:, None] * free_slopes

    def derivatives(theta: Floats) -> Derivatives:
        found, slope, columns = parts(theta)
        value, of_prior, curve = grounds.anchor(theta[:k])
        gradient = davidson.gradient(rows, found, slope, columns, tie_columns)
        information = davidson.information(rows, found, slope, columns, tie_columns)
        gradient[:k] += of_prior
        information[:k, :k] += curve
        return value + float(rows.weight @ found.value), gradient, information

    start = np.zeros(k + m + len(tied))
    start[:k] = davidson.points_guess(rows, kind == 0)
    start[k : k + m] = 0.5
    fit = maximise(derivatives, start, grounds.free)
    if m and np.ptp(fit.parameters[:k]) < 1e-6:
        raise TaskError("all strengths are equal, so that how far one outcome follows another is unknown")
    bread = inverse(fit.information, k, grounds.free)
    found, slope, columns = parts(fit.parameters)
    scores = davidson.scores(rows, found, slope, columns, tie_columns)
    spread = robust(bread, scores, rows.weight, groups, trusted=grounds.robust)
    names = [*others, *(f"log tie parameter, {list(outcomes)[o]}" for o in tied)]
    return ranked(
        "tied_outcomes",
        tables[0].names,
        fit.parameters[:k] - fit.parameters[:k].mean(),
        spread,
        n=len(kind),
        level=level,
        seed=seed,
        settings={
            "scale": f"natural log-odds of {next(iter(outcomes))}",
            "ties": ties,
            "prior": grounds.weight,
            "effects": effects(names, fit.parameters[k:], spread, level),
        },
        notes=(*left_out(*tables), *grounds.notes),
        part=grounds.part,
    )


def _joined(tables: list[Comparisons]) -> Comparisons:
    left, right, outcome = (np.concatenate([getattr(t, c) for t in tables]) for c in ("left", "right", "outcome"))
    weight = np.concatenate([np.ones(len(t)) if t.weight is None else t.weight for t in tables])
    return Comparisons(tables[0].names, left, right, outcome, weight)


def _stacked(tables: list[Comparisons]) -> tuple[davidson.Rows, NDArray[Any], NDArray[Any] | None]:
    """All rows, the outcome that each belongs to, and their clusters."""
    kind = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
    groups = [t.group for t in tables]
    same = all(np.array_equal(t.left, tables[0].left) and np.array_equal(t.right, tables[0].right) for t in tables)
    together: NDArray[Any] | None = None
    if all(group is not None for group in groups):
        together = np.concatenate([group for group in groups if group is not None])
    elif any(group is not None for group in groups):
        raise TaskError("some outcomes have groups and some have none: give groups to all or to none")
    elif same:
        together = np.tile(np.arange(len(tables[0])), len(tables))
    return davidson.rows_of(_joined(tables)), kind, together
