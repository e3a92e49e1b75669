"""How many items a paired comparison needs, and what it could have detected."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Groups, unit_count
from whetstone.stats.intervals import clustered_mean
from whetstone.stats.paired import paired_difference

NODES = 200  # of the quadrature over the spread
MOST = 1_000_000_000  # items; beyond this "no number of items" is the answer


def paired_power(effect: float, spread: float, n: int, *, alpha: float = 0.05) -> float:
    """Probability that a two-sided paired t test finds a true mean difference.

    Args:
        effect: true mean difference.
        spread: standard deviation of the items' differences (see `discordant_spread` for right/wrong data).
        n: number of items.
        alpha: level of the test.

    Raises:
        ValueError: a spread that is not positive, fewer than two items, or alpha outside (0, 1).

    Source: the noncentral t distribution; Cohen, "Statistical power analysis" (1988), section 2.3.
    """
    _check(spread, alpha)
    if n < 2:
        raise ValueError(f"n must be at least 2, not {n}")
    return _power(abs(effect) / spread * math.sqrt(n), n - 1, alpha)


def required_n(effect: float, spread: float, *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """The fewest items with which a two-sided paired t test finds `effect` with probability `power`.

    None when no number of items up to 10^9 does. Arguments and errors are those of `paired_power`.

    Source: as `paired_power`; for model evaluations: Miller, "Adding error bars to evals" (2024), section 5.
    """
    _check_power(power, alpha)
    return _fewest(lambda n: paired_power(effect, spread, n, alpha=alpha) >= power)


def required_n_equivalence(
    margin: float, spread: float, *, effect: float = 0.0, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """The fewest items with which two one-sided tests show a difference to lie within -margin and margin.

    Args:
        margin: the largest difference that does not matter.
        spread: standard deviation of the items' differences.
        effect: the true difference; None is returned when it is not inside of the margin.
        power: probability with which equivalence is to be shown.
        alpha: level of each one-sided test.

    Source: Phillips, "Power of the two one-sided tests procedure" (1990), with the normal approximation of Chow,
    Shao and Wang, "Sample size calculations in clinical research" (2008), section 3.2.
    """
    _check(spread, alpha)
    _check_power(power, alpha)
    if abs(effect) >= margin:
        return None

    def enough(n: int) -> bool:
        scale, t = math.sqrt(n) / spread, -float(scipy.special.stdtrit(n - 1, alpha))
        inside = scipy.special.ndtr([(margin - effect) * scale - t, (margin + effect) * scale - t])
        return float(inside.sum()) - 1 >= power

    return _fewest(enough)


def detectable_effect(spread: float, n: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest true mean difference that `n` items detect with probability `power`; see `paired_power`."""
    _check(spread, alpha)
    _check_power(power, alpha)
    if n < 2:
        raise ValueError(f"n must be at least 2, not {n}")
    return _noncentrality(n - 1, power, alpha) * spread / math.sqrt(n)


def detectable_difference(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    groups: Groups | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> float | None:
    """The smallest true mean difference that a comparison of these items would have detected with probability `power`.

    It rests on the (clustered) standard error of the differences, not on the difference that was seen. None when
    that standard error is unknown. Arguments are those of `paired_t`.

    Source: Bloom, "Minimum detectable effects" (1995), with the noncentral t distribution.
    """
    difference, _ = paired_difference(treatment, baseline)
    _check_power(power, alpha)
    stderr = clustered_mean(difference, groups).stderr
    return _noncentrality(unit_count(groups, difference.size) - 1, power, alpha) * stderr if stderr else None


def discordant_spread(discordance: float, effect: float = 0.0) -> float:
    """Standard deviation of the differences of right/wrong items of which a share `discordance` differ.

    Raises ValueError when a mean difference of `effect` cannot come from that share.

    Source: Connor, "Sample size for testing differences in proportions for the paired-sample design" (1987).
    """
    if not 0 < discordance <= 1 or abs(effect) > discordance:
        raise ValueError(f"discordance must lie in (0, 1] and reach the effect: {discordance} and {effect}")
    return math.sqrt(discordance - effect**2)


def _power(noncentrality: float, freedom: int, alpha: float) -> float:
    """P(|T| > t) of a noncentral T, as the mean over its random spread of what a normal variable would give."""
    t = -float(scipy.special.stdtrit(freedom, alpha / 2))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    spread = np.sqrt(scipy.special.chdtri(freedom, (1 - nodes) / 2) / freedom)
    beyond = scipy.special.ndtr(noncentrality - t * spread) + scipy.special.ndtr(-noncentrality - t * spread)
    return float(beyond @ weights / 2)


def _noncentrality(freedom: int, power: float, alpha: float) -> float:
    t = -float(scipy.special.stdtrit(freedom, alpha / 2))
    return float(scipy.optimize.brentq(lambda at: _power(at, freedom, alpha) - power, 0, 40 + 40 * t))


def _fewest(enough: Callable[[int], bool]) -> int | None:
    high = 2
    while not enough(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(spread: float, alpha: float) -> None:
    if not (spread > 0 and math.isfinite(spread)):
        raise ValueError(f"spread must be a positive number, not {spread}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1 (such as 0.05), not {alpha}")


def _check_power(power: float, alpha: float) -> None:
    if not 0 < alpha < power < 1:
        raise ValueError(f"power must lie between alpha and 1 (such as 0.8), not {power}")
