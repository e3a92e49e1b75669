"""Equivalence and non-inferiority of two systems on the same items, within margins that the caller sets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Groups, check_level, unit_count
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import clustered_mean
from whetstone.stats.paired import paired_difference


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two one-sided tests of a mean difference (treatment minus baseline) against two margins.

    Attributes:
        effect: the difference with its interval of level 1 - 2 alpha, which lies within the margins exactly where
            both tests reject.
        margins: lower and upper margin.
        p_below: of a true difference at or below the lower margin (non-inferiority); None when unknown.
        p_above: of a true difference at or above the upper margin; None when unknown.
        alpha: error rate of each test.
        method: name of the tests.
    """

    effect: Estimate
    margins: tuple[float, float]
    p_below: float | None
    p_above: float | None
    alpha: float
    method: str

    @property
    def p(self) -> float | None:
        """The larger of the two p-values: that of "not equivalent"."""
        return None if self.p_below is None or self.p_above is None else max(self.p_below, self.p_above)

    @property
    def equivalent(self) -> bool | None:
        """Is the difference shown to lie within both margins? None when the tests are undefined."""
        return None if self.p is None else self.p < self.alpha

    @property
    def not_worse(self) -> bool | None:
        """Is the difference shown to lie above the lower margin? None when the test is undefined."""
        return None if self.p_below is None else self.p_below < self.alpha


def tost(
    treatment: ArrayLike,
    baseline: ArrayLike,
    margin: float | tuple[float, float],
    *,
    groups: Groups | None = None,
    alpha: float = 0.05,
) -> Equivalence:
    """Two one-sided tests: is the mean difference of paired values shown to lie within the margins?

    Args:
        treatment, baseline: [n] values of the same items in the same order (0/1 or real).
        margin: the largest difference that does not matter, or a lower and an upper one.
        groups: [n] cluster of each item.
        alpha: error rate of each one-sided test, and so of the claim.

    Right/wrong data without clusters are tested by Tango's score statistic, everything else by t on clusters - 1.
    When the spread of the differences is unknown, so are the p-values.

    Raises:
        ValueError: a margin that is not positive, or a lower one that is not below the upper one.

    Source: Schuirmann, "A comparison of the two one-sided tests procedure" (1987); score statistic: Tango,
    "Equivalence test and confidence interval for the difference in proportions for the paired-sample design"
    (1998), formula 5, as two one-sided tests in Liu et al., "Tests for equivalence or non-inferiority for paired
    binary data" (2002).
    """
    difference, (wins, losses, _) = paired_difference(treatment, baseline)
    low, high = margin if isinstance(margin, tuple) else (-margin, margin)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"the margin must be a positive number, or a lower and a higher one, not {margin}")
    check_level(2 * alpha)
    if not difference.size:
        return Equivalence(Estimate(None, None, 0, None, "t", "no pairs"), (low, high), None, None, alpha, "TOST")
    right_or_wrong = bool(np.isin(treatment, (0, 1)).all() and np.isin(baseline, (0, 1)).all())
    units = unit_count(groups, difference.size)
    if right_or_wrong and units == difference.size:
        return _tango_tost(wins, losses, difference.size, low, high, alpha)
    effect = clustered_mean(difference, groups, level=1 - 2 * alpha)
    method = f"TOST, {effect.method}"
    if not effect.stderr or effect.value is None or effect.interval is None:
        return Equivalence(effect, (low, high), None, None, alpha, method)
    below = float(scipy.special.stdtr(units - 1, (low - effect.value) / effect.stderr))
    above = float(scipy.special.stdtr(units - 1, (effect.value - high) / effect.stderr))
    return Equivalence(effect, (low, high), below, above, alpha, method)


def tango(wins: int, losses: int, n: int, difference: float) -> float:
    """Tango's score statistic of a paired difference of proportions, standard normal if `difference` is the truth.

    Args:
        wins, losses: pairs in which only the treatment, or only the baseline, is right.
        n: all pairs.
        difference: the value under test, within (-1, 1).

    Source: Tango (1998), formula 5; the nuisance parameter is the larger root of its formula 4.
    """
    a, b = 2 * n, -wins - losses + (2 * n - wins + losses) * difference
    c = -losses * difference * (1 - difference)
    lost = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n * (2 * lost + difference * (1 - difference))
    gap = wins - losses - n * difference
    return gap / math.sqrt(variance) if variance > 1e-12 * n else math.copysign(math.inf, gap) if gap else 0.0


def tango_interval(wins: int, losses: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The differences that Tango's score test does not reject: an interval that holds for few pairs as well."""
    z = -float(scipy.special.ndtri(check_level(level) / 2))
    value = (wins - losses) / n
    edge = 1 - 1e-9

    def root(bound: float, target: float) -> float:
        if (tango(wins, losses, n, bound) - target) * (tango(wins, losses, n, value) - target) >= 0:
            return math.copysign(1.0, bound)
        return float(scipy.optimize.brentq(lambda at: tango(wins, losses, n, at) - target, bound, value, xtol=1e-12))

    return root(-edge, z), root(edge, -z)


def _tango_tost(wins: int, losses: int, n: int, low: float, high: float, alpha: float) -> Equivalence:
    value = (wins - losses) / n
    stderr = math.sqrt(max(0.0, (wins + losses) / n - value**2) / n) or None
    effect = Estimate(value, tango_interval(wins, losses, n, level=1 - 2 * alpha), n, stderr, "tango score")
    below = 1.0 if low >= 1 else 0.0 if low <= -1 else float(scipy.special.ndtr(-tango(wins, losses, n, low)))
    above = 1.0 if high <= -1 else 0.0 if high >= 1 else float(scipy.special.ndtr(tango(wins, losses, n, high)))
    return Equivalence(effect, (low, high), below, above, alpha, "TOST, Tango score")
