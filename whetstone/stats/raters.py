"""Do raters agree? Intraclass correlation for ratings on a scale, Fleiss' kappa for labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, Groups, check_level
from whetstone.stats._totals import bootstrap_totals
from whetstone.stats.agreement import coded, counts_of, patterns_of, quotient
from whetstone.stats.estimate import Estimate

Model = Literal["one-way", "two-way random", "two-way mixed"]


def intraclass_correlation(
    ratings: ArrayLike,
    *,
    model: Model = "two-way random",
    mean_of_raters: bool = False,
    level: float = 0.95,
) -> Estimate:
    """Share of the variance of ratings that is the targets' own.

    Args:
        ratings: [targets, raters]; NaN where a rating is missing. The one-way model takes what is there; the others
            leave such a target out and count it in the note.
        model: "one-way": each target has other raters (ICC 1); "two-way random": the raters are a sample, and their
            differences in level count as error (ICC 2, absolute agreement); "two-way mixed": these raters are all
            there are, and their levels do not matter (ICC 3, consistency).
        mean_of_raters: of the mean over the raters instead of a single rating.

    Returns:
        The estimate with its F-based interval; `n` is the number of targets. Unknown, with a note, where all ratings
        are equal.

    Raises ValueError for fewer than two raters or two complete targets.

    Source: Shrout and Fleiss, "Intraclass correlations: uses in assessing rater reliability" (1979), for unequal
    numbers of ratings with their effective number (Snedecor and Cochran, "Statistical Methods"); interval of the
    two-way random model: McGraw and Wong, "Forming inferences about some intraclass correlation coefficients" (1996).
    """
    check_level(level)
    names = {"one-way": "ICC(1", "two-way random": "ICC(2", "two-way mixed": "ICC(3"}
    if model not in names:
        raise ValueError(f"model is {model!r}; it can be {', '.join(names)}")
    name = f"{names[model]},{'k' if mean_of_raters else 1})"
    table, note = _checked(ratings, complete=model != "one-way")
    n = len(table)
    if float(np.nanmax(table) - np.nanmin(table)) <= 1e-12 * float(np.nanmax(np.abs(table))):
        return Estimate(None, None, n, None, name, "; ".join(filter(None, (note, "all ratings are equal"))))
    if model == "one-way":
        between, error, freedom, k = _one_way(table)
    else:
        between, by_rater, error = _two_way(table)
        k, freedom = float(table.shape[1]), (n - 1) * (table.shape[1] - 1)
    if model == "two-way random":
        single = (between - error) / (between + (k - 1) * error + k * (by_rater - error) / n)
        limits = _agreement_limits(single, between, by_rater, error, n, k, level)
    else:
        single = (between - error) / (between + (k - 1) * error)
        limits = _consistency_limits(between, error, n, k, freedom, level)
    if mean_of_raters:
        single, limits = _stepped_up(single, k), (_stepped_up(limits[0], k), _stepped_up(limits[1], k))
    return Estimate(single, limits, n, None, name, note)


def fleiss_kappa(
    labels: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Agreement of raters on labels beyond what their common frequencies of labels would give.

    Args:
        labels: [items, raters] any labels; every item has as many.
        groups: [items] cluster of each item, resampled whole.
        rounds, level, seed: of the bootstrap over items, which redoes the frequencies in each resample.

    Returns:
        Kappa with its interval; `n` is the number of items. Unknown where only one label occurs.

    Raises ValueError for fewer than two raters, no items, and missing labels.

    Source: Fleiss, "Measuring nominal scale agreement among many raters" (1971).
    """
    table = np.asarray(labels)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise ValueError(f"labels must be [items, raters] with two raters or more, not of shape {table.shape}")
    values, codes = coded(table)
    if (codes < 0).any():
        raise ValueError("every item needs a label by every rater; krippendorff_alpha takes missing ones")
    patterns, which = patterns_of(codes)
    counts, raters = counts_of(patterns, len(values)), table.shape[1]
    agree = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))

    def statistic(totals: Floats) -> Floats:
        n = totals[:, :1]
        chance = ((totals[:, 2:] / (raters * n)) ** 2).sum(axis=1)
        return quotient(totals[:, 1] / n[:, 0] - chance, np.where(chance > 1 - 1e-12, 0.0, 1 - chance))

    features = np.column_stack([np.ones(len(counts)), agree, counts])
    return bootstrap_totals(
        statistic, features, which, name="fleiss kappa", groups=groups, rounds=rounds, level=level, seed=seed
    )


def _checked(ratings: ArrayLike, *, complete: bool) -> tuple[Floats, str]:
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings must be [targets, raters], not of shape {table.shape}")
    if np.isinf(table).any():
        raise ValueError("ratings hold infinite values: leave them out (NaN)")
    there = ~np.isnan(table)
    kept = there.all(axis=1) if complete else there.any(axis=1)
    if kept.sum() < 2 or table.shape[1] < 2 or (there[kept].sum(axis=1) < 2).all():
        raise ValueError(f"{int(kept.sum())} usable targets and {table.shape[1]} raters: two of each are needed")
    return table[kept], f"{int((~kept).sum())} targets without the ratings needed left out" if not kept.all() else ""


def _one_way(table: Floats) -> tuple[float, float, int, float]:
    """Mean squares between and within targets, the latter's degrees of freedom, effective number of ratings each."""
    numbers = (~np.isnan(table)).sum(axis=1)
    means, n, total = np.nanmean(table, axis=1), len(table), int(numbers.sum())
    between = float((numbers * (means - np.nanmean(table)) ** 2).sum() / (n - 1))
    within = float(np.nansum((table - means[:, None]) ** 2) / (total - n))
    return between, within, total - n, float((total - (numbers**2).sum() / total) / (n - 1))


def _two_way(table: Floats) -> tuple[float, float, float]:
    """Mean squares between targets, between raters, and of the residual."""
    n, k = table.shape
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    residual = table - rows[:, None] - columns[None, :] + mean
    return (
        k * float(rows.var(ddof=1)),
        n * float(columns.var(ddof=1)),
        float((residual**2).sum() / ((n - 1) * (k - 1))),
    )


def _consistency_limits(
    between: float, error: float, n: int, k: float, freedom: int, level: float
) -> tuple[float, float]:
    if error == 0:
        return 1.0, 1.0
    tail = (1 + level) / 2
    low = between / error / float(scipy.stats.f.ppf(tail, n - 1, freedom))
    high = between / error * float(scipy.stats.f.ppf(tail, freedom, n - 1))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _agreement_limits(
    single: float, between: float, by_rater: float, residual: float, n: int, k: float, level: float
) -> tuple[float, float]:
    if single >= 1:
        return 1.0, 1.0
    a = k * single / (n * (1 - single))
    b = 1 + a * (n - 1)
    freedom = (a * by_rater + b * residual) ** 2 / (
        (a * by_rater) ** 2 / (k - 1) + (b * residual) ** 2 / ((n - 1) * (k - 1))
    )
    tail = (1 + level) / 2
    below, above = float(scipy.stats.f.ppf(tail, n - 1, freedom)), float(scipy.stats.f.ppf(tail, freedom, n - 1))
    noise = k * by_rater + (k * n - k - n) * residual
    return (
        n * (between - below * residual) / (below * noise + n * between),
        n * (above * between - residual) / (noise + n * above * between),
    )


def _stepped_up(single: float, k: float) -> float:
    """Spearman and Brown: the reliability of the mean of k ratings."""
    return k * single / (1 + (k - 1) * single)
