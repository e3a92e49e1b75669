"""Rules that read places: plurality, Borda, Dowdall, Baldwin, threshold. And the means, which read the scores.

A system without a score on some tasks is given, on those, its own mean of points on the tasks that it has; a task on
which m of the k systems have a score gives its Borda points (m - place) stretched by (k - 1)/(m - 1), so that no task
counts more because more systems took part. Without missing scores these are the plain rules.

Source: "Vote'n'Rank: Revision of Benchmarking with Social Choice Theory", whose places are the worst of a tie for
plurality, Borda and threshold and the best of a tie for Dowdall.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking.rules.settle import settle
from whetstone.ranking.score_table import ScoreTable, Ties

Floats = NDArray[np.float64]


def plurality(table: ScoreTable) -> Floats:
    """[k] weight of the tasks on which a system is the only best one."""
    places = table.places("worst")
    return _total(table, np.where(np.isnan(places), np.nan, places == 1))


def borda(table: ScoreTable, *, ties: Ties = "worst") -> Floats:
    """[k] weighted number of systems that one stands above, summed over tasks.

    Args:
        ties: the place that equal scores share; "average" gives half a point for each tie.
    """
    present = (~np.isnan(table.scores)).sum(axis=0)
    stretch = (len(table.names) - 1) / np.maximum(present - 1, 1)
    return _total(table, (present - table.places(ties)) * stretch)


def dowdall(table: ScoreTable) -> Floats:
    """[k] weighted sum of 1/place."""
    return _total(table, 1 / table.places("best"))


def baldwin(table: ScoreTable) -> Floats:
    """[k] round in which a system went out, when the lowest by Borda go out in each round and the rest is recounted."""
    score = np.zeros(len(table.names))
    left = np.arange(len(table.names))
    while True:
        points = borda(table.take(left)) if left.size > 1 else np.zeros(1)
        low = points == points.min()
        if low.all():
            return score
        left = left[~low]
        score[left] += 1


def threshold(table: ScoreTable) -> Floats:
    """[k] number of systems that one stands above: the fewest last places first, then the fewest places next to last,
    and so on."""
    places = table.places("worst")
    present = (~np.isnan(table.scores)).sum(axis=0)
    from_last = present - places
    counts = [_total(table, np.where(np.isnan(places), np.nan, from_last == p)) for p in range(len(table.names) - 1)]
    keys = np.unique(np.stack(counts, axis=1), axis=0, return_inverse=True)[1].ravel()
    scores: Floats = (keys[:, None] < keys[None, :]).sum(axis=1).astype(np.float64)
    return scores


def mean(table: ScoreTable) -> Floats:
    """[k] weighted arithmetic mean of the scores. A missing score is the task's median."""
    weight = table.weight
    return settle(_filled(table) @ weight / weight.sum(), _size(table))


def geometric_mean(table: ScoreTable) -> Floats:
    """[k] weighted geometric mean of the scores; 0 where a score is 0. A missing score is the task's median.

    Raises TaskError on a negative score on a task that has a weight.
    """
    weight, filled = table.weight, _filled(table)
    if (filled[:, weight > 0] < 0).any():
        raise TaskError("the geometric mean needs scores that are not negative")
    used = filled[:, weight > 0]
    logs = np.log(np.where(used > 0, used, 1.0)) @ weight[weight > 0] / weight.sum()
    return settle(np.where((used == 0).any(axis=1), 0.0, np.exp(logs)), _size(table))


def optimality_gap(table: ScoreTable, *, target: float = 95.0) -> Floats:
    """[k] weighted mean of min(score, target) - target: 0 for who reaches the target everywhere.

    A missing score is the task's median.
    """
    weight = table.weight
    return settle((np.minimum(_filled(table), target) - target) @ weight / weight.sum(), _size(table))


def _total(table: ScoreTable, points: Floats) -> Floats:
    """Sum over tasks by weight; what is missing is taken to be as what is there. Tasks with one system say nothing."""
    compared = (~np.isnan(table.scores)).sum(axis=0) > 1
    weight = table.weight * compared
    there = ~np.isnan(points)
    total = np.where(there, points, 0.0) @ weight
    own = there @ weight
    if (own == 0).any():
        name = table.names[int(np.argmin(own))]
        raise TaskError(f"{name!r} shares no task that has a weight with another system: leave it out")
    return settle(np.where(own == weight.sum(), total, total / own * weight.sum()), float(weight.sum()))


def _filled(table: ScoreTable) -> Floats:
    unknown = np.isnan(table.scores)
    if not unknown.any():
        return table.scores
    used = ~unknown.all(axis=0)
    middle = np.zeros(len(table.tasks))
    middle[used] = np.nanmedian(table.scores[:, used], axis=0)
    return np.where(unknown, middle, table.scores)


def _size(table: ScoreTable) -> float:
    return float(np.nanmax(np.abs(table.scores)))
