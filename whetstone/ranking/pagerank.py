"""PageRank over comparisons: each system hands its score on to those who beat it."""

from __future__ import annotations

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking._ranked import left_out
from whetstone.ranking.comparisons import Comparisons, Counts, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_scores.py::test_eigen_and_pagerank_find_the_planted_order")
def pagerank(comparisons: Comparisons | Counts, *, damping: float = 0.85) -> Ranking:
    """Stationary share of a walk that goes from a system to those that beat it, and now and then anywhere.

    Args:
        comparisons: rows, or their counts; a tie is half a win for each.
        damping: probability of following a loss; the rest of the time the walk goes to any system.

    Returns:
        Shares [k] that sum to 1. Exists for all data: who never lost sends the walk anywhere.

    Raises:
        ConfigError: `damping` is not from 0 to below 1.

    Source: Page, Brin, Motwani and Winograd, "The PageRank citation ranking" (1999).
    """
    if not 0 <= damping < 1:
        raise ConfigError(f"damping must be at least 0 and below 1, not {damping}")
    counts = comparisons if isinstance(comparisons, Counts) else count(comparisons)
    k = len(counts.names)
    lost = counts.points.T
    total = lost.sum(axis=1, keepdims=True)
    step = np.divide(lost, total, out=np.full_like(lost, 1 / k), where=total > 0)
    scores = np.linalg.solve(np.eye(k) - damping * step.T, np.full(k, (1 - damping) / k))
    return Ranking(
        "pagerank",
        counts.names,
        scores,
        n=counts.n,
        settings={"scale": "shares that sum to 1", "damping": damping},
        notes=left_out(comparisons),
    )
