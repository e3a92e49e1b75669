"""Closed-form confidence intervals for proportions and means, with and without clusters."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped, unit
from whetstone.stats.estimate import Estimate

EQUAL = "all values are equal: their spread is unknown"


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """A proportion with Wilson's score interval.

    Args:
        successes: number of successes, 0 to `n`.
        n: number of trials; 0 gives an unknown value.
        level: confidence level.

    Raises:
        ValueError: `successes` is not between 0 and `n`.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927); recommended by
    Brown, Cai and DasGupta, "Interval estimation for a binomial proportion" (2001).
    """
    z = float(-scipy.special.ndtri(check_level(level) / 2))
    _check_counts(successes, n)
    if n == 0:
        return Estimate(None, None, 0, None, "wilson", "no trials")
    p = successes / n
    return Estimate(p, score_limits(p, n, z), n, math.sqrt(p * (1 - p) / n) or None, "wilson")


def unmoved(n: int) -> tuple[float, float]:
    """Limits of a change in a share where none of n items changed: what Wilson's interval of 0 in n leaves open.

    A change could still be in either direction, so that they lie about 0. With n = 0 nothing is known: (-1, 1).
    """
    most = (wilson(0, n).interval or (0.0, 1.0))[1]
    return -most, most


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """A proportion with the exact interval of Clopper and Pearson, which covers at least at the nominal rate.

    Arguments and errors are those of `wilson`.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial" (1934), as quantiles of the beta distribution.
    """
    tail = check_level(level) / 2
    _check_counts(successes, n)
    if n == 0:
        return Estimate(None, None, 0, None, "clopper-pearson", "no trials")
    p, failures = successes / n, n - successes
    low = float(scipy.special.betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(scipy.special.betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return Estimate(p, (low, high), n, math.sqrt(p * (1 - p) / n) or None, "clopper-pearson")


def proportion(values: ArrayLike, *, groups: Groups | None = None, level: float = 0.95) -> Estimate:
    """The mean of values within [0, 1] (accuracy, pass rate), with an interval that stays within [0, 1].

    Without groups and with values 0 and 1 this is Wilson's interval. Otherwise it is Wilson's interval at the
    effective number of trials p(1-p)/stderr**2 with the t quantile; when all values are equal, the effective
    number is the number of clusters, the least that it can be.

    Args:
        values: [n], each between 0 and 1.
        groups: [n] cluster of each value; None or "" means that the value is its own cluster.
        level: confidence level.

    Source: effective sample size after Korn and Graubard, "Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data" (1998); with Wilson's interval in Dean and
    Pagano, "Evaluating confidence interval methods for binomial proportions in clustered surveys" (2015).
    """
    array = unit(values, "values")
    tail = check_level(level) / 2
    if not array.size:
        return Estimate(None, None, 0, None, "wilson", "no values")
    codes = clusters(groups, array.size)
    count, p = int(codes.max()) + 1, float(array.mean())
    if count == array.size and np.isin(array, (0, 1)).all():
        return wilson(int(array.sum()), array.size, level=level)
    method = "clustered wilson" if count < array.size else "wilson, effective n"
    if count == 1:
        note = "one value" if array.size == 1 else "a single cluster"
        return Estimate(p, None, array.size, None, method, f"{note}: the spread is unknown")
    stderr = cluster_stderr(array - p, codes, count)
    t = float(-scipy.special.stdtrit(count - 1, tail))
    effective = p * (1 - p) / stderr**2 if stderr > 1e-12 else float(count)
    return Estimate(p, score_limits(p, effective, t), array.size, stderr or None, method)


def mean(values: ArrayLike, *, level: float = 0.95) -> Estimate:
    """The mean of independent values with Student's t interval.

    Args:
        values: [n] finite numbers. n = 0 gives an unknown value; n = 1 or equal values an unknown interval.
        level: confidence level.

    Source: Student, "The probable error of a mean" (1908).
    """
    return clustered_mean(values, None, level=level)


def clustered_mean(values: ArrayLike, groups: Groups | None, *, level: float = 0.95) -> Estimate:
    """The mean over all values with a cluster-robust (CR1) standard error and a t interval on clusters - 1.

    Args:
        values: [n] finite numbers.
        groups: [n] cluster of each value; None or "" means that the value is its own cluster.
        level: confidence level.

    The interval is unknown with fewer than two clusters and when all values are equal.

    Source: Cameron and Miller, "A practitioner's guide to cluster-robust inference" (2015), for an
    intercept alone; for model evaluations: Miller, "Adding error bars to evals" (2024).
    """
    array = floats(values)
    tail = check_level(level) / 2
    codes = clusters(groups, array.size)
    method = "clustered t" if grouped(codes) else "t"
    if not array.size:
        return Estimate(None, None, 0, None, method, "no values")
    centre, count = float(array.mean()), int(codes.max()) + 1
    if count == 1:
        note = "one value" if array.size == 1 else "a single cluster"
        return Estimate(centre, None, array.size, None, method, f"{note}: the spread is unknown")
    if array.min() == array.max():
        return Estimate(centre, None, array.size, None, method, EQUAL)
    stderr = cluster_stderr(array - centre, codes, count)
    half = float(-scipy.special.stdtrit(count - 1, tail)) * stderr
    return Estimate(centre, (centre - half, centre + half), array.size, stderr, method)


def cluster_stderr(residuals: Floats, codes: Codes, count: int) -> float:
    """CR1 standard error of a mean from its residuals and their cluster numbers."""
    sums = np.bincount(codes, residuals, count)
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / residuals.size


def score_limits(p: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's limits for a proportion `p` of `n` (effective) trials at the normal or t quantile `z`."""
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half))


def _check_counts(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n: {successes} of {n}")
