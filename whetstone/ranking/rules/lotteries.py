"""Rules by equilibrium: the maximal lottery, Nash averaging, and the optimal mixed strategies of a zero-sum game.

Of several equilibria the one of the greatest entropy is taken, which no order of rows or columns can sway.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp

from whetstone.ranking.rules.majority import margins

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

    At least one must exist. Rounded to 9 digits.
    """
    n, m = gain.shape
    # Scaled freely, every action that some such strategy plays can be played with weight 1 at least.
    found = linprog(
        np.append(np.zeros(n), -np.ones(n)),
        A_ub=np.block([[-gain.T, np.zeros((m, n))], [-np.eye(n), np.eye(n)]]),
        b_ub=np.append(np.full(m, 1e-9), np.zeros(n)),
        bounds=[(0, None)] * n + [(0, 1)] * n,
    )
    played = found.x[n:] > 0.5
    inner = gain[played]
    binding = inner[:, (np.abs(inner) > 1e-12).any(axis=0)]

    def dual(price: Floats) -> tuple[float, Floats]:
        logits = binding @ price
        return float(logsumexp(logits)), binding.T @ np.exp(logits - logsumexp(logits))

    price = minimize(
        dual,
        np.zeros(binding.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * binding.shape[1],
        options={"maxiter": 10_000, "maxfun": 100_000, "ftol": 0, "gtol": 1e-12},
    ).x
    logits = binding @ price
    chances = np.zeros(n)
    chances[played] = np.exp(logits - logsumexp(logits))
    return np.round(chances, 9)
