"""Does one strength a system explain who beat whom? Cycles and specialists show as a misfit."""

from __future__ import annotations

import numpy as np
import scipy

from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.strengths import fit_strengths
from whetstone.stats.estimate import Estimate, HypothesisTest

_FEWEST = 5


def misfit(comparisons: Comparisons, *, ties: str = "davidson") -> HypothesisTest:
    """Pearson's goodness-of-fit test of the Bradley-Terry model over pairs.

    Each pair that met at least five times adds its squared residual over its variance under the model; degrees of
    freedom are the pairs less their leverages. Comparisons count as independent.

    Args:
        ties: the model, a name of `whetstone.ranking.ties.TIES`; without ties all of them are the same.

    Returns:
        Chi-square over degrees of freedom, 1 where the model holds; None where strengths use up all pairs.
    """
    found = fit_strengths(count(comparisons), ties=ties)
    pairs, fit = found.pairs, found.fit
    d = fit.differences(pairs)
    residual, _ = found.model.gradient(pairs.counts, d, fit.e)
    variance = found.model.curvature(pairs.counts, d, fit.e).dd
    spread = np.diag(fit.inverse)
    leverage = variance * (
        spread[pairs.first] + spread[pairs.second] - 2 * fit.inverse[pairs.first, pairs.second]
    )  # fmt: skip
    used = pairs.counts.sum(axis=0) >= _FEWEST
    freedom = float((1 - leverage[used]).sum())
    if freedom < 0.5:
        note = "as many strengths as pairs: nothing is left to test"
        return HypothesisTest(Estimate(None, None, len(comparisons), None, "pearson", note), None, 1.0, "pearson")
    statistic = float((residual[used] ** 2 / variance[used]).sum())
    p = float(scipy.special.chdtrc(freedom, statistic))
    effect = Estimate(statistic / freedom, None, len(comparisons), (2 / freedom) ** 0.5, "pearson")
    return HypothesisTest(effect, p, 1.0, "pearson")
