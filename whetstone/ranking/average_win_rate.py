"""The win rate against each opponent, averaged over opponents: every opponent counts the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whetstone.core.registry import method
from whetstone.ranking._covariance import Spread
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking.comparisons import Comparisons, Counts, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_scores.py::test_average_win_rate_does_not_reward_playing_often")
def average_win_rate(comparisons: Comparisons | Counts, *, level: float = 0.95, seed: int = 0) -> Ranking:
    """Average over the opponents met of the share of points won against each; a tie is half a point.

    Args:
        comparisons: rows, or their counts. Rows are taken as independent.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Shares [k] with their covariance, limits, ranks and tiers. The variance of each pair's share is that of its
        points with the spread of half a win and half a loss added: a pair with one kind of outcome is not certain.
    """
    counts = comparisons if isinstance(comparisons, Counts) else count(comparisons)
    matches, points = counts.matches, counts.points
    met = matches > 0
    opponents = np.maximum(met.sum(axis=1), 1)
    share = np.divide(points, matches, out=np.zeros_like(points), where=met)
    smooth = (points + 0.5) / (matches + 1)
    squares = (
        (counts.squared_wins + 0.5) * (1 - smooth) ** 2
        + (counts.squared_wins.T + 0.5) * smooth**2
        + counts.squared_ties * (0.5 - smooth) ** 2
    )
    variance = np.divide(squares, matches**2, out=np.zeros_like(squares), where=met)
    covariance = -variance / np.outer(opponents, opponents)
    np.fill_diagonal(covariance, variance.sum(axis=1) / opponents**2)
    scores = share.sum(axis=1) / opponents
    found = ranked(
        "average_win_rate",
        counts.names,
        scores,
        Spread(covariance, "by pair"),
        n=counts.n,
        level=level,
        seed=seed,
        settings={"scale": "share of points"},
        notes=(*left_out(comparisons), *(f"{counts.names[i]} met nobody" for i in np.flatnonzero(~met.any(axis=1)))),
    )
    assert found.low is not None
    assert found.high is not None
    return replace(found, low=np.maximum(found.low, 0.0), high=np.minimum(found.high, 1.0))
