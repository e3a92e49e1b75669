"""Newman's iteration for Bradley-Terry strengths with ties."""

from __future__ import annotations

import numpy as np

from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.ranking._ranked import left_out
from whetstone.ranking.comparisons import Comparisons, Counts, count
from whetstone.ranking.diagnosis import diagnose
from whetstone.ranking.ranking import Ranking

SWING = 100
"""Rounds after which the iteration is taken to swing, and is put in the middle."""


@method("ranking", checked="tests/ranking/test_scores.py::test_newman_finds_the_strengths_and_the_share_of_ties")
def newman(
    comparisons: Comparisons | Counts, *, start: float = 0.5, limit: int = 10_000, tolerance: float = 1e-12
) -> Ranking:
    """Strengths and a tie parameter by Newman's iteration; the maximum is that of Davidson's model with nu = 2v.

    Args:
        comparisons: rows, or their counts.
        start: first value of the tie parameter v.
        limit: most rounds.
        tolerance: largest relative change of a strength in the last round.

    Returns:
        Strengths [k] as factors of the odds, with the scale the iteration leaves them in: only ratios mean anything.
        `settings["v"]` is the tie parameter; equal systems tie with chance v / (1 + v).

    Raises:
        TaskError: the maximum does not exist, or was not reached in `limit` rounds.

    Source: Newman, "Efficient computation of rankings from pairwise comparisons" (2023), section on ties.
    """
    counts = comparisons if isinstance(comparisons, Counts) else count(comparisons)
    if problems := diagnose(counts).sentences():
        raise TaskError(f"no finite strengths fit these data ({'; '.join(problems)}): use a model with a prior")
    points, v, tied = counts.points, start, bool(counts.ties.any())
    strength = np.ones(len(counts.names))
    for rounds in range(1, limit + 1):
        root = np.sqrt(np.outer(strength, strength))
        both = strength[:, None] + strength
        total = both + 2 * v * root
        won = (points * (strength + v * root) / total).sum(axis=1)
        lost = (points.T * (1 + v * root / strength[:, None]) / total).sum(axis=1)
        wins = (counts.wins * root / total).sum()
        v = float((counts.ties * both / total).sum() / 4 / wins) if tied else 0.0
        new = won / lost
        change = np.abs(new / strength - 1).max()
        # Where systems fall into two camps that only meet each other, rounds swing around the maximum.
        strength = np.sqrt(new * strength) if rounds % SWING == 0 else new
        if change < tolerance:
            return Ranking(
                "newman",
                counts.names,
                strength,
                n=counts.n,
                settings={"scale": "factors of the odds", "v": v, "rounds": rounds},
                notes=left_out(comparisons),
            )
    raise TaskError(f"no convergence in {limit} rounds: allow more, or use bradley_terry, which needs a few steps")
