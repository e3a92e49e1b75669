"""The leading eigenvector of the matrix of points: a win over a strong system counts for more."""

from __future__ import annotations

from typing import Literal

import numpy as np

from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.ranking._ranked import left_out
from whetstone.ranking.comparisons import Comparisons, Counts, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_scores.py::test_eigen_and_pagerank_find_the_planted_order")
def eigen(comparisons: Comparisons | Counts, *, of: Literal["wins", "losses"] = "wins") -> Ranking:
    """Leading eigenvector of the points matrix: each system's score is the sum of points times opponents' scores.

    Args:
        comparisons: rows, or their counts; a tie is half a point for each.
        of: "wins" adds up points won, "losses" points lost; the latter ranks by how much a system lost to the
            losers, and is what some packages compute under this name.

    Returns:
        Scores [k] from 0 up, of Euclidean length 1. Who plays more has more, as with `counting`.

    Raises:
        TaskError: no system can be reached from all others, so that the eigenvector is not unique.

    Source: Kendall, "Further contributions to the theory of paired comparisons" (1955); Keener, "The Perron-Frobenius
    theorem and the ranking of football teams" (1993).
    """
    counts = comparisons if isinstance(comparisons, Counts) else count(comparisons)
    matrix = counts.points if of == "wins" else counts.points.T
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-values.real)
    gap = values[order[0]].real - values[order[1]].real
    if gap <= 1e-9 * max(1.0, abs(values[order[0]])):
        raise TaskError("the leading eigenvector is not unique: not every system is linked to every other by wins")
    vector = np.abs(vectors[:, order[0]].real)
    return Ranking(
        "eigen",
        counts.names,
        vector / np.linalg.norm(vector),
        n=counts.n,
        settings={"scale": "eigenvector of length 1", "of": of},
        notes=left_out(comparisons),
    )
