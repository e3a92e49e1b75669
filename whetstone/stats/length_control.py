"""What would a win rate be if both answers were equally long?"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, Groups, check_level, clusters, floats, same_length, unit
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import cluster_stderr


def length_controlled_win_rate(
    shares: ArrayLike,
    lengths: ArrayLike,
    baseline_lengths: ArrayLike,
    *,
    prior: float = 1.0,
    groups: Groups | None = None,
    level: float = 0.95,
) -> Estimate:
    """Win rate over a baseline at equal length: a logistic regression on the length difference, read off at zero.

    Args:
        shares: [n] what the judge gave to the system: 1 won, 0 lost, 0.5 tie, or the probability of a win.
        lengths, baseline_lengths: [n] of the system's answers and of the baseline's, in the same unit.
        prior: standard deviation of the normal prior (mean 0) of the length coefficient, which is poorly known when
            nearly all answers of one side are the longer ones.
        groups: [n] cluster of each item.
        level: confidence level.

    Returns:
        The estimate between 0 and 1 with a robust interval made on the log-odds; the note has the coefficient of the
        length term. Unknown when all shares are 0 or all are 1.

    The length term is tanh(difference / its standard deviation).

    Source: Dubois et al., "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators" (2024), without
    the difficulty of instructions.
    """
    tail = check_level(level) / 2
    won, long, short = unit(shares, "shares"), floats(lengths, "lengths"), floats(baseline_lengths, "baseline_lengths")
    same_length(shares=won, lengths=long, baseline_lengths=short)
    name = "logistic regression on length"
    if won.size < 3 or won.min() == won.max():
        return Estimate(None, None, won.size, None, name, "too few items, or all shares are equal")
    gap = long - short
    spread = float(gap.std())
    term = np.tanh(gap / spread) if spread > 0 else np.zeros_like(gap)
    design = np.column_stack([np.ones_like(term), term])[:, : 2 if spread > 0 else 1]
    weights, bread = _fit(design, won, np.array([0.0, prior**-2])[: design.shape[1]])
    scores = design * (won - scipy.special.expit(design @ weights))[:, None]
    codes = clusters(groups, won.size)
    influence = scores @ np.linalg.inv(bread)[0] * won.size
    stderr = cluster_stderr(influence, codes, int(codes.max()) + 1)
    value = float(scipy.special.expit(weights[0]))
    half = float(-scipy.special.stdtrit(int(codes.max()), tail)) * stderr
    low, high = scipy.special.expit([weights[0] - half, weights[0] + half])
    note = f"length coefficient {weights[1]:.2f}" if spread > 0 else "all length differences are equal"
    return Estimate(value, (float(low), float(high)), won.size, stderr * value * (1 - value), name, note)


def _fit(design: Floats, won: Floats, penalty: Floats) -> tuple[Floats, Floats]:
    """Weights and information matrix of a penalised logistic regression of shares, by Newton's method."""
    weights = np.zeros(design.shape[1])
    bread = np.eye(len(weights))
    for _ in range(100):
        p = scipy.special.expit(design @ weights)
        bread = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty) + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(bread, design.T @ (won - p) - penalty * weights)
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    return weights, bread
