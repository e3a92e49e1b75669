"""Which task weights would make a system win? A linear programme over the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from whetstone.ranking.score_table import ScoreTable


def best_case_weights(table: ScoreTable, system: int) -> tuple[NDArray[np.float64], float]:
    """Task weights, summing to 1, under which a system's narrowest majority over any other is as wide as it can be.

    Args:
        system: position in `table.names`.

    Returns:
        [t] weights, and that margin: above 0 the system can be made the Condorcet winner; at 0 it can be made one that
        nobody beats; below 0 somebody beats it whatever the weights.

    Source: "Vote'n'Rank: Revision of Benchmarking with Social Choice Theory", which calls those from 0 up prospective.
    """
    mine = table.scores[system]
    others = np.delete(table.scores, system, axis=0)
    gain = (mine > others).astype(np.float64) - (mine < others)
    found = linprog(
        np.append(np.zeros(len(mine)), -1.0),
        A_ub=np.hstack([-gain, np.ones((len(others), 1))]),
        b_ub=np.zeros(len(others)),
        A_eq=np.append(np.ones(len(mine)), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, 1)] * len(mine) + [(-1, 1)],
    )
    return found.x[:-1], float(np.round(found.x[-1], 9)) + 0.0
