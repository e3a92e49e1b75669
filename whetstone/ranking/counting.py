"""Counting points: the simplest score, and one that rewards playing often."""

from __future__ import annotations

from whetstone.core.registry import method
from whetstone.ranking._ranked import left_out
from whetstone.ranking.comparisons import Comparisons, Counts, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_scores.py::test_counting_rewards_playing_often")
def counting(comparisons: Comparisons | Counts, *, win: float = 1.0, tie: float = 0.5) -> Ranking:
    """Points: so much for a win, so much for a tie.

    Args:
        comparisons: rows, or their counts.
        win: points for a win.
        tie: points for a tie.

    Returns:
        Points [k]. Who plays more has more: use it for round robins only.
    """
    counts = comparisons if isinstance(comparisons, Counts) else count(comparisons)
    scores = win * counts.wins.sum(axis=1) + tie * counts.ties.sum(axis=1)
    return Ranking(
        "counting",
        counts.names,
        scores,
        n=counts.n,
        settings={"scale": "points", "win": win, "tie": tie},
        notes=left_out(comparisons),
    )
