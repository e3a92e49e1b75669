"""Anytime-valid inference: look after every item, stop whenever you like, and the error rates still hold.

The capital of a bettor against "the mean difference is m" is a martingale if m is the truth, so it ever reaches
1 / alpha with probability at most alpha (Ville's inequality). Capital is the e-value; the values of m against which
no bettor got rich form a confidence sequence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped
from whetstone.stats.estimate import Estimate, HypothesisTest
from whetstone.stats.paired import paired_difference

FRACTIONS = 0.75 * 0.5 ** np.arange(12)  # of the most that a bet may risk; each gets an equal share of the capital
LOOKS = 1.25  # limits are computed when the number of values has grown by this factor, and after the last


@dataclass(frozen=True, eq=False)
class Sequential:
    """A mean of bounded values, looked at after every one of them.

    Attributes:
        e: [n] e-value (capital) against `null` after each value.
        looks: [l] numbers of values after which limits were computed.
        low, high: [l] limits of the confidence sequence: all of them hold at once with probability `level`.
        value: mean of all values; None when there are none.
        null: the mean under the null hypothesis.
        level: confidence level.
    """

    e: Floats
    looks: Codes
    low: Floats
    high: Floats
    value: float | None
    null: float
    level: float

    @property
    def p(self) -> float | None:
        """Anytime-valid p-value: one over the highest e-value so far."""
        return min(1.0, 1 / float(self.e.max())) if self.e.size else None

    @property
    def stopped(self) -> int | None:
        """After how many values the null was first rejected at 1 - level; None when it was not."""
        rich = np.flatnonzero(self.e >= 1 / (1 - self.level))
        return int(rich[0]) + 1 if rich.size else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The limits after the last value; None when they have crossed, as they may where the mean drifts."""
        limits = (float(self.low[-1]), float(self.high[-1])) if self.e.size else None
        return limits if limits and limits[0] <= limits[1] else None


def betting(values: ArrayLike, *, bounds: tuple[float, float], null: float = 0.0, level: float = 0.95) -> Sequential:
    """Confidence sequence and e-values for the mean of bounded values, by betting for and against each mean.

    Args:
        values: [n] in the order in which they were seen; each has the same mean given those before it (for a fixed
            list of items: in random order).
        bounds: least and greatest possible value.
        null: the mean that the e-values are against.
        level: confidence level.

    Raises:
        ValueError: a value outside of the bounds, or a null that is not inside of them.

    Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (2024): capital hedged
    between above and below, and diversified over constant bets, here of geometrically spaced sizes.
    """
    array = floats(values)
    low, high = bounds
    tail = check_level(level)
    if not low < null < high:
        raise ValueError(f"bounds must lie around {null:g}: {bounds}")
    if array.size and (array.min() < low or array.max() > high):
        raise ValueError(f"values must lie within {low:g} and {high:g}, not {array.min():g} to {array.max():g}")
    unit, width = (array - low) / (high - low), high - low
    centre = (null - low) / width
    capital = np.logaddexp(_log_capital(unit, centre), _log_capital(1 - unit, 1 - centre)) - math.log(2)
    looks = _looks(array.size)
    rich = math.log(2 / tail)
    distinct, codes = np.unique(unit, return_inverse=True)
    counts = [np.bincount(codes[:n], minlength=distinct.size) for n in looks]
    below = np.array([_lowest(distinct, some, rich) for some in counts])
    above = 1 - np.array([_lowest(1 - distinct, some, rich) for some in counts])
    return Sequential(
        np.exp(np.minimum(capital, 700)),
        looks,
        low + width * np.maximum.accumulate(below),
        low + width * np.minimum.accumulate(above),
        float(array.mean()) if array.size else None,
        null,
        level,
    )


def paired_anytime(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    groups: Groups | None = None,
    level: float = 0.95,
) -> HypothesisTest:
    """Anytime-valid test of a mean difference of zero between two systems whose scores are bounded.

    Args:
        treatment, baseline: [n] scores of the same items, in the order in which they came (a fixed list: shuffled).
        bounds: least and greatest possible score of one system.
        groups: [n] cluster of each item; each cluster's mean difference is one value, at its first item's place, so
            that clusters count alike.
        level: confidence level.

    The statistic is the highest e-value; see `betting`.
    """
    difference, counts = paired_difference(treatment, baseline)
    method = "anytime-valid betting"
    if not difference.size:
        return HypothesisTest(Estimate(None, None, 0, None, method, "no pairs"), None, 0.0, method, *counts)
    codes, note = clusters(groups, difference.size), ""
    values = difference
    if grouped(codes):
        _, at = np.unique(codes, return_index=True)
        values = (np.bincount(codes, difference) / np.bincount(codes))[np.argsort(at)]
        note = "mean of the clusters' means"
    width = bounds[1] - bounds[0]
    found = betting(values, bounds=(-width, width), level=level)
    crossed = "" if found.interval else "no mean fits all items: they are not in random order"
    stop = f"decided after {found.stopped} of {values.size}" if found.stopped else ""
    effect = Estimate(
        found.value, found.interval, difference.size, None, method, "; ".join(filter(None, (note, crossed, stop)))
    )
    return HypothesisTest(effect, found.p, 0.0, method, *counts, float(found.e.max()))


def _log_capital(unit: Floats, mean: float) -> Floats:
    """Log capital [n] after each value within [0, 1] of betting that they lie above `mean`."""
    total = np.full(unit.size, -math.inf)
    for fraction in FRACTIONS:
        total = np.logaddexp(total, np.cumsum(np.log1p(fraction * (unit / mean - 1))))
    return np.asarray(total - math.log(FRACTIONS.size))


def _lowest(distinct: Floats, counts: Codes, rich: float) -> float:
    """The lowest mean that betting on "above" does not rule out, from how often each value was seen.

    Constant bets make the capital independent of the order; it falls as the mean rises and is at most 1 at the average.
    """
    seen = counts > 0
    distinct, counts = distinct[seen], counts[seen]
    average = float(counts @ distinct) / int(counts.sum())

    def excess(mean: float) -> float:
        logs = counts @ np.log1p(np.multiply.outer(distinct / mean - 1, FRACTIONS))
        most = float(logs.max())
        return most + math.log(float(np.exp(logs - most).mean())) - rich

    least = 1e-12 * average
    if average <= 0 or excess(least) <= 0:
        return 0.0
    return float(scipy.optimize.brentq(excess, least, average, xtol=1e-10))


def _looks(n: int) -> Codes:
    """Ever sparser numbers of values up to and including n."""
    looks = []
    at = n
    while at > 1:
        looks.append(at)
        at = min(at - 1, int(at / LOOKS))
    return np.array(sorted({*looks, *([n] if n else [])}), np.intp)
