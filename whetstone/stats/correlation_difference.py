"""Does one score follow the truth more closely than another? The difference of two rank correlations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, Groups, check_level, clusters, floats, same_length
from whetstone.stats.estimate import Estimate, HypothesisTest
from whetstone.stats.paired import tested_draws


def correlation_difference(
    first: ArrayLike,
    second: ArrayLike,
    truth: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> HypothesisTest:
    """Spearman's rho of `first` with `truth` minus that of `second`, tested against 0 by resampling items.

    Args:
        first, second, truth: [n] of the same items; a score that does not vary counts as uncorrelated.
        groups: [n] clusters that are resampled whole.

    Source: percentile bootstrap of the difference, as recommended by Wilcox, "Comparing dependent robust
    correlations" (2016).
    """
    columns = {"first": floats(first, "first"), "second": floats(second, "second"), "truth": floats(truth, "truth")}
    same_length(**columns)
    table = np.stack(list(columns.values()))
    codes = clusters(groups, table.shape[1])
    members = [np.flatnonzero(codes == unit) for unit in range(int(codes.max()) + 1)] if codes.size else []
    rng = np.random.default_rng(seed)
    drawn = (np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]) for _ in range(rounds))
    if not members:
        empty = Estimate(None, None, 0, None, "bootstrap of two correlations", "no items")
        return HypothesisTest(empty, None, 0.0, empty.method)
    value = _difference(table)
    draws = np.array([_difference(table[:, items]) for items in drawn])
    all_alike = np.full(table.shape[1], value)  # whose mean is the effect that the draws surround
    tail = check_level(level) / 2
    test = tested_draws(all_alike, draws, len(members), tail, "bootstrap of two correlations", (0, 0, 0))
    return replace(test, wins=None, losses=None, ties=None)


def _difference(table: Floats) -> float:
    ranks = scipy.stats.rankdata(table, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=1))
    rho = [ranks[i] @ ranks[2] / (size[i] * size[2]) if size[i] and size[2] else 0.0 for i in (0, 1)]
    return float(rho[0] - rho[1])
