"""Paired tests: two systems on the same items. The effect is treatment minus baseline."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, Groups, binary, check_level, clusters, floats, grouped, same_length
from whetstone.stats.bootstrap import CELLS, from_draws, mean_draws
from whetstone.stats.estimate import Estimate, HypothesisTest
from whetstone.stats.intervals import clopper_pearson, clustered_mean

ROUNDING = 1e-12  # of a value's size: differences below this are rounding
ENUMERATED = 16  # sign patterns of up to this many units are all tried


def paired_bootstrap(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> HypothesisTest:
    """Mean difference of paired values, with a percentile bootstrap interval and the p-value that inverts it.

    Args:
        treatment, baseline: [n] values of the same items in the same order (0/1 or real).
        groups: [n] cluster of each item; clusters are resampled whole.
        rounds: number of resamples.
        level: confidence level.
        seed: same seed, same result.

    All differences equal: the interval is unknown, and p is 1 if they are 0, else unknown. No items: all unknown.

    Source: Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapters 13 (interval) and 15
    (p-value), both expanded for few units as in Hesterberg, "What teachers should know about the bootstrap" (2015).
    """
    difference, counts = paired_difference(treatment, baseline)
    codes = clusters(groups, difference.size)
    method = "paired cluster bootstrap" if grouped(codes) else "paired bootstrap"
    tail = check_level(level) / 2
    if not difference.size:
        return HypothesisTest(Estimate(None, None, 0, None, method, "no pairs"), None, 0.0, method, *counts)
    sums, sizes = np.bincount(codes, difference).astype(float), np.bincount(codes).astype(float)
    draws = mean_draws(sums, sizes, rounds, np.random.default_rng(seed))
    return tested_draws(difference, draws, sums.size, tail, method, counts)


def tested_draws(
    difference: Floats, draws: Floats, units: int, tail: float, method: str, counts: tuple[int, int, int]
) -> HypothesisTest:
    """The test that bootstrap draws [rounds] of the mean difference amount to."""
    effect = from_draws(float(difference.mean()), draws, None, difference.size, units, tail, method)
    if effect.interval is None:
        return HypothesisTest(effect, None if difference.any() else 1.0, 0.0, method, *counts)
    fewer = min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0))
    z = scipy.special.ndtri((fewer + 1) / (draws.size + 1))
    p = 2 * float(scipy.special.stdtr(units - 1, z * math.sqrt((units - 1) / units)))
    return HypothesisTest(effect, min(1.0, p), 0.0, method, *counts)


def paired_permutation(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> HypothesisTest:
    """Sign-flip test of a mean difference of zero; the interval is the (clustered) t interval of the difference.

    All sign patterns are tried when at most 16 units differ; otherwise `rounds` random ones, and the observed
    pattern is counted as one of them, so that p is never 0. Arguments are those of `paired_bootstrap`; whole
    clusters change sign.

    Source: Fisher, "The design of experiments" (1935), section 21; p-value of random patterns: Phipson and Smyth,
    "Permutation p-values should never be zero" (2010).
    """
    difference, counts = paired_difference(treatment, baseline)
    codes = clusters(groups, difference.size)
    method = "paired cluster permutation" if grouped(codes) else "paired permutation"
    effect = clustered_mean(difference, groups, level=level)
    if not difference.size:
        return HypothesisTest(effect, None, 0.0, method, *counts)
    sums = np.bincount(codes, difference)
    sizes = np.abs(sums[sums != 0])
    reached = abs(float(sums.sum())) * (1 - 1e-9)
    if sizes.size <= ENUMERATED:
        bits = np.arange(1 << sizes.size)[:, None] >> np.arange(sizes.size) & 1
        flipped = (2 * bits - 1) @ sizes
        p = float(np.mean(np.abs(flipped) >= reached))
    else:
        flipped = _flipped_sums(sizes, rounds, np.random.default_rng(seed))
        p = (int(np.count_nonzero(np.abs(flipped) >= reached)) + 1) / (rounds + 1)
    return HypothesisTest(effect, p, 0.0, method, *counts)


def paired_t(
    treatment: ArrayLike, baseline: ArrayLike, *, groups: Groups | None = None, level: float = 0.95
) -> HypothesisTest:
    """Student's t test of a mean difference of zero; with groups, on the cluster-robust standard error.

    The degrees of freedom are clusters - 1. Arguments are those of `paired_bootstrap`. All differences equal: the
    interval is unknown, and p is 1 if they are 0, else unknown.

    Source: Miller, "Adding error bars to evals" (2024), section 4 (paired differences, clustered standard errors);
    Cameron and Miller, "A practitioner's guide to cluster-robust inference" (2015).
    """
    difference, counts = paired_difference(treatment, baseline)
    codes = clusters(groups, difference.size)
    effect = clustered_mean(difference, groups, level=level)
    method = "paired clustered t" if grouped(codes) else "paired t"
    if not effect.stderr or effect.value is None:
        unmoved = difference.size > 0 and not difference.any()
        return HypothesisTest(effect, 1.0 if unmoved else None, 0.0, method, *counts)
    t = effect.value / effect.stderr
    p = 2 * float(scipy.special.stdtr(int(codes.max()), -abs(t)))
    return HypothesisTest(effect, p, 0.0, method, *counts, t)


def mcnemar(
    treatment: ArrayLike,
    baseline: ArrayLike,
    *,
    form: Literal["mid-p", "exact", "chi-square"] = "mid-p",
    level: float = 0.95,
) -> HypothesisTest:
    """McNemar's test of two systems' right/wrong answers, from the pairs in which they differ.

    Args:
        treatment, baseline: [n] right (1) or wrong (0), same items in the same order.
        form: how p is found. "mid-p" keeps its level and is less timid than "exact", the conditional binomial;
            "chi-square" has Edwards' continuity correction and is what papers print most.
        level: confidence level of the difference in accuracy.

    Without discordant pairs p is 1. Items in clusters: use `paired_t`, `paired_permutation` or `paired_bootstrap`.

    Source: McNemar (1947); correction: Edwards (1948); mid-p: Fagerland, Lydersen and Laake, "The McNemar test for
    binary matched-pairs data" (2013); interval: Bonett and Price, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data" (2012).
    """
    difference, (wins, losses, ties) = paired_difference(binary(treatment, "treatment"), binary(baseline, "baseline"))
    method, statistic = f"{form} McNemar", None
    z = -float(scipy.special.ndtri(check_level(level) / 2))
    n, fewer, discordant = difference.size, min(wins, losses), wins + losses
    if not n:
        return HypothesisTest(Estimate(None, None, 0, None, "bonett-price", "no pairs"), None, 0.0, method, 0, 0, 0)
    if form == "chi-square":
        statistic = max(0, abs(wins - losses) - 1) ** 2 / discordant if discordant else 0.0
        p = float(scipy.special.chdtrc(1, statistic))
    else:
        below = float(scipy.special.bdtr(fewer, discordant, 0.5))
        at = below - (float(scipy.special.bdtr(fewer - 1, discordant, 0.5)) if fewer else 0.0)
        p = min(1.0, 2 * below if form == "exact" else 2 * below - at)
    up, down = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = z * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    interval = (max(-1.0, up - down - half), min(1.0, up - down + half))
    value = (wins - losses) / n
    stderr = math.sqrt(max(0.0, discordant / n - value**2) / n) or None
    effect = Estimate(value, interval, n, stderr, "bonett-price")
    return HypothesisTest(effect, p, 0.0, method, wins, losses, ties, statistic)


def sign_test(treatment: ArrayLike, baseline: ArrayLike, *, level: float = 0.95) -> HypothesisTest:
    """Exact sign test: of the pairs that differ, does the treatment win more than half?

    The effect is the share of wins among pairs that differ, with the Clopper-Pearson interval, against 0.5. It is
    unknown, and p is 1, when no pair differs. Arguments are those of `mcnemar`, but values may be any numbers.

    Source: Arbuthnott (1710); Conover, "Practical nonparametric statistics" (1999), section 3.4.
    """
    _, (wins, losses, ties) = paired_difference(treatment, baseline)
    effect = clopper_pearson(wins, wins + losses, level=level)
    if not wins + losses:
        effect = Estimate(None, None, 0, None, "clopper-pearson", "no pair differs" if ties else "no pairs")
    p = min(1.0, 2 * float(scipy.special.bdtr(min(wins, losses), wins + losses, 0.5)))
    return HypothesisTest(effect, p if wins + losses + ties else None, 0.5, "sign test", wins, losses, ties)


def paired_difference(treatment: ArrayLike, baseline: ArrayLike) -> tuple[Floats, tuple[int, int, int]]:
    """Differences [n] of paired values, and how many are above, below and equal to zero.

    What rounding alone makes of equal values (0.1 + 0.2 and 0.3) is no difference, and what it makes of equal
    differences is no spread.
    """
    first, second = floats(treatment, "treatment"), floats(baseline, "baseline")
    same_length(treatment=first, baseline=second)
    difference = first - second
    noise = ROUNDING * np.maximum(np.abs(first), np.abs(second))
    difference[np.abs(difference) <= noise] = 0
    if difference.size and float(np.ptp(difference)) <= float(noise.max()):
        difference[:] = difference[0]
    wins, losses = int(np.count_nonzero(difference > 0)), int(np.count_nonzero(difference < 0))
    return difference, (wins, losses, difference.size - wins - losses)


def _flipped_sums(sizes: Floats, rounds: int, rng: np.random.Generator) -> Floats:
    distinct, counts = np.unique(sizes, return_counts=True)
    if distinct.size * 16 <= sizes.size:
        return np.asarray((2 * rng.binomial(counts, 0.5, size=(rounds, distinct.size)) - counts) @ distinct)
    out = np.empty(rounds)
    chunk = max(1, CELLS // sizes.size)
    for start in range(0, rounds, chunk):
        rows = min(chunk, rounds - start)
        width = -(-sizes.size // 8)
        bits = np.unpackbits(rng.integers(256, size=(rows, width), dtype=np.uint8), axis=1, count=sizes.size)
        out[start : start + rows] = 2 * (bits @ sizes) - sizes.sum()
    return out
