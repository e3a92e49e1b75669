"""Rules by equilibrium: the maximal lottery, Nash averaging, and the optimal mixed strategies of a zero-sum game.

Of several equilibria the one of the greatest entropy is taken, which no order of rows or columns can sway.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import linprog

from whetstone.core.errors import TaskError
from whetstone.ranking.rules.majority import margins
from whetstone.ranking.score_table import ScoreTable

Floats = NDArray[np.float64]


def maximal_lottery(support: Floats) -> Floats:
    """[k] chances of each system in the lottery that no other lottery beats by majority margin.

    A Condorcet winner has chance 1, and a cycle of equal margins is shared equally.

    Source: Fishburn, "Probabilistic social choice based on simple voting comparisons" (1984).
    """
    margin = margins(support)
    return most_even(margin / max(1.0, float(np.abs(margin).max())))


def nash_averaging(support: Floats) -> Floats:
    """[k] mean margin of each system, per unit of weight compared, against the maximal lottery; 0 for those in it.

    Source: Balduzzi, Tuyls, Perolat and Graepel, "Re-evaluating Evaluation" (2018).
    """
    total = support + support.T
    payoff = np.divide(support - support.T, total, out=np.zeros_like(support), where=total > 0)
    rating: Floats = np.round(payoff @ most_even(payoff), 9) + 0.0
    return rating


def nash_of_tasks(table: ScoreTable) -> Floats:
    """[k] mean score of each system on the mixture of tasks that is hardest for the best mixture of systems.

    Each task's scores are stretched to [0, 1]; task weights do not matter, nor does a task that is there twice.

    Raises TaskError where scores are missing.

    Source: Balduzzi, Tuyls, Perolat and Graepel, "Re-evaluating Evaluation" (2018), agents against tasks.
    """
    if table.missing:
        raise TaskError(f"{table.missing} scores are missing, and the game of systems against tasks needs all")
    low, width = table.scores.min(axis=0), np.ptp(table.scores, axis=0)
    # A task on which all score the same separates nobody.
    stretched = ((table.scores - low) / np.where(width > 0, width, 1.0))[:, width > 0]
    if not stretched.size:
        return np.zeros(len(table.names))
    rating: Floats = np.round(stretched @ equilibrium(stretched)[1], 9)
    return rating


def equilibrium(payoff: Floats) -> tuple[Floats, Floats, float]:
    """Optimal mixed strategies of the rows (which gain the payoff) and the columns (which lose it), and the value.

    Args:
        payoff: [n, m] of a zero-sum game.
    """
    n, m = payoff.shape
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-payoff.T, np.ones((m, 1))]),
        b_ub=np.zeros(m),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    value = float(found.x[-1])
    return most_even(payoff - value), most_even((value - payoff).T), value


def most_even(gain: Floats) -> Floats:
    """[n] the strategy of greatest entropy among those that gain at least 0 against every column of `gain` [n, m].

    At least one must exist. To 9 digits.
    """
    n, m = gain.shape
    # Scaled freely, an action that some such strategy plays can have weight 1, and a gain above 0 can be 1.
    found = linprog(
        np.append(np.zeros(n), -np.ones(n + m)),
        A_ub=np.block(
            [[-np.eye(n), np.eye(n), np.zeros((n, m))], [-gain.T, np.zeros((m, n)), np.eye(m)]],
        ),
        b_ub=np.zeros(n + m),
        bounds=[(0, None)] * n + [(0, 1)] * (n + m),
    )
    played, slack = found.x[n : 2 * n] > 0.5, found.x[2 * n :] > 0.5
    exact = np.vstack([gain[np.ix_(played, ~slack)].T, np.ones(played.sum())])
    inside = found.x[:n][played] / found.x[:n][played].sum()
    inside += np.linalg.lstsq(exact, np.append(np.zeros(len(exact) - 1), 1.0) - exact @ inside, rcond=1e-9)[0]
    free = null_space(exact, rcond=1e-9)
    chances = np.zeros(n)
    chances[played] = _climb(inside, free, gain[np.ix_(played, slack)]) if free.size else inside
    return np.asarray(np.round(np.maximum(chances, 0.0), 9), dtype=np.float64)


def _climb(inside: Floats, free: Floats, gain: Floats) -> Floats:
    """The point of greatest entropy from a point inside, along the columns of `free`, with every gain above 0.

    By Newton's method with a barrier that is lowered step by step.
    """
    point: Floats = inside
    for barrier in (10.0**-power for power in range(1, 14)):
        for _ in range(50):
            room = point @ gain
            slope = free.T @ (np.log(point) + 1 - barrier * (gain / room).sum(axis=1))
            bend = free.T @ (free / point[:, None]) + barrier * (free.T @ (gain / room**2) @ gain.T @ free)
            step = free @ np.linalg.solve(bend, -slope)
            if np.abs(step).max() < 1e-11:
                break
            size = 1.0
            while ((point + size * step) <= 0).any() or ((point + size * step) @ gain <= 0).any():
                size /= 2
            while size > 1e-9 and _height(point + size * step, gain, barrier) < _height(point, gain, barrier):
                size /= 2
            point = point + size * step
    return point


def _height(point: Floats, gain: Floats, barrier: float) -> float:
    return float(-(point @ np.log(point)) + barrier * np.log(point @ gain).sum())
