"""How well a score separates right from wrong: AUROC with DeLong's variance, and AUPRC. Ties count half."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import (
    Codes,
    Floats,
    Groups,
    binary,
    check_level,
    clusters,
    floats,
    grouped,
    rarer,
    same_length,
)
from whetstone.stats.bootstrap import bootstrap, on_scale
from whetstone.stats.estimate import Estimate, HypothesisTest

ONE_CLASS = "only one class: {} right, {} wrong"


def auroc(scores: ArrayLike, correct: ArrayLike, *, groups: Groups | None = None, level: float = 0.95) -> Estimate:
    """Probability that a right answer scores above a wrong one (ties half), with its interval.

    Args:
        scores: [n], higher means more likely right; infinite scores are allowed.
        correct: [n] right (1) or wrong (0). With one class only the value is unknown.
        groups: [n] cluster of each answer (the question, when several answers to one question are scored).
        level: confidence level.

    The interval is DeLong's on the logit scale, so that it stays within [0, 1], with the t quantile of Brunner and
    Munzel, without which few items of a class make it too narrow. Where DeLong's variance is 0 or undefined (perfect
    separation, one item in a class) it is Newcombe's score interval.

    Source: DeLong, DeLong and Clarke-Pearson (1988), computed by midranks as in Sun and Xu, "Fast implementation
    of DeLong's algorithm" (2014); t quantile: Brunner and Munzel, "The nonparametric Behrens-Fisher problem"
    (2000); clusters: Obuchowski, "Nonparametric analysis of clustered ROC curve data" (1997); logit scale: Pepe
    (2003); Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2" (2006), method 5.
    """
    return auroc_test(scores, correct, groups=groups, level=level).effect


def auroc_test(
    scores: ArrayLike, correct: ArrayLike, *, groups: Groups | None = None, level: float = 0.95
) -> HypothesisTest:
    """`auroc`, tested against 0.5 (the score is worth nothing).

    p inverts the interval, but without groups it is never below that of the rank-sum test, which holds its level
    with a handful of items in a class too; under perfect separation it is that of the exact rank-sum test.
    Arguments are those of `auroc`.
    """
    values, labels = floats(scores, "scores", infinite=True), binary(correct)
    same_length(scores=values, correct=labels)
    tail, n, right = check_level(level) / 2, labels.size, int(labels.sum())
    codes = clusters(groups, n)
    method = "clustered DeLong" if grouped(codes) else "DeLong"
    if right in (0, n):
        note = ONE_CLASS.format(right, n - right)
        return HypothesisTest(Estimate(None, None, n, None, method, note), None, 0.5, method)
    area, influence = _influence(values, labels)
    stderr, freedom = _stderr(influence, labels, codes)
    if stderr and 0 < area < 1:
        t = -float(scipy.special.stdtrit(freedom, tail))
        scale = stderr / (area * (1 - area))
        logit = math.log(area / (1 - area))
        low, high = scipy.special.expit([logit - t * scale, logit + t * scale])
        p = 2 * float(scipy.special.stdtr(freedom, -abs(logit) / scale))
        if not grouped(codes):
            p = max(p, _rank_sum_p(values, area, right, n - right))
        return HypothesisTest(Estimate(area, (float(low), float(high)), n, stderr, method), p, 0.5, method)
    # clusters that hold both classes count for both, so this is the least information there can be
    positive, negative = (np.unique(codes[labels == label]).size for label in (1, 0))
    if area in (0.0, 1.0):
        p = min(1.0, 2 / float(scipy.special.comb(positive + negative, positive)))
    else:
        p = 2 * float(scipy.special.ndtr(-abs(area - 0.5) / math.sqrt(_hanley(0.5, positive, negative))))
    limits = _newcombe(area, positive, negative, -float(scipy.special.ndtri(tail)))
    return HypothesisTest(Estimate(area, limits, n, None, "newcombe"), p, 0.5, "rank sum")


def auroc_difference(
    treatment: ArrayLike,
    baseline: ArrayLike,
    correct: ArrayLike,
    *,
    groups: Groups | None = None,
    level: float = 0.95,
) -> HypothesisTest:
    """AUROC of one score minus that of another on the same answers, with DeLong's paired interval and test.

    Args:
        treatment, baseline: [n] the two scores of each answer.
        correct, groups, level: as in `auroc`.

    Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
    characteristic curves" (1988).
    """
    first, second = floats(treatment, "treatment", infinite=True), floats(baseline, "baseline", infinite=True)
    labels = binary(correct)
    same_length(treatment=first, baseline=second, correct=labels)
    tail, n, right = check_level(level) / 2, labels.size, int(labels.sum())
    codes = clusters(groups, n)
    method = "clustered paired DeLong" if grouped(codes) else "paired DeLong"
    if right in (0, n):
        note = ONE_CLASS.format(right, n - right)
        return HypothesisTest(Estimate(None, None, n, None, method, note), None, 0.0, method)
    (area, influence), (other, other_influence) = _influence(first, labels), _influence(second, labels)
    gap = area - other
    stderr, freedom = _stderr(influence - other_influence, labels, codes)
    if not stderr:
        alike = bool((influence == other_influence).all())
        note = "both scores rank alike" if alike else "too few answers or clusters in one class"
        return HypothesisTest(Estimate(gap, None, n, None, method, note), 1.0 if alike else None, 0.0, method)
    half = -float(scipy.special.stdtrit(freedom, tail)) * stderr
    limits = (max(-1.0, gap - half), min(1.0, gap + half))
    p = 2 * float(scipy.special.stdtr(freedom, -abs(gap) / stderr))
    return HypothesisTest(Estimate(gap, limits, n, stderr, method), p, 0.0, method)


def auprc(
    scores: ArrayLike,
    correct: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Average precision (area under the precision-recall curve by steps), with a bootstrap interval.

    Right answers are the positive class; chance level is their share. Tied scores enter together. The interval is
    made from the bootstrap stderr on the logit scale with a t quantile for the rarer class, since percentiles miss
    too often below. Arguments are those of `auroc` and `bootstrap`. Unknown when no answer is right.

    Source: Davis and Goadrich, "The relationship between precision-recall and ROC curves" (2006); intervals:
    Boyd, Eng and Page, "Area under the precision-recall curve: point estimates and confidence intervals" (2013).
    """
    values, labels = floats(scores, "scores", infinite=True), binary(correct)
    same_length(scores=values, correct=labels)
    if labels.size and not labels.any():
        return Estimate(None, None, labels.size, None, "bootstrap percentile", ONE_CLASS.format(0, labels.size))
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True)) if labels.size else order

    def average_precision(weights: Floats) -> Floats:
        drawn = weights[:, order]
        seen, hits = np.cumsum(drawn, axis=1)[:, ends], np.cumsum(drawn * labels[order], axis=1)[:, ends]
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        total = hits[:, -1]
        area = (np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1)
        return np.asarray(np.divide(area, total, out=np.full_like(area, np.nan), where=total > 0))

    found = bootstrap(average_precision, labels.size, groups=groups, rounds=rounds, level=level, seed=seed)
    return on_scale(found, "logit", rarer(labels, groups) - 1, level)


def _midranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _influence(values: Floats, labels: Floats) -> tuple[float, Floats]:
    """AUROC and the structural component of each item minus it: what the item adds, times its class size."""
    positive, negative = values[labels == 1], values[labels == 0]
    overall = _midranks(values)
    placed = np.empty(labels.size)
    placed[labels == 1] = (overall[labels == 1] - _midranks(positive)) / negative.size
    placed[labels == 0] = 1 - (overall[labels == 0] - _midranks(negative)) / positive.size
    area = float(placed[labels == 1].mean())
    return area, placed - area


def _stderr(influence: Floats, labels: Floats, codes: Codes) -> tuple[float, float]:
    """DeLong's standard error, or its clustered form, and its degrees of freedom; (0, 0) where undefined."""
    classes = [labels == 0, labels == 1]
    sizes = [np.count_nonzero(member) for member in classes]
    count = int(codes.max()) + 1
    if count == labels.size:
        if min(sizes) < 2:
            return 0.0, 0.0
        squares = [float((influence[member] ** 2).sum()) for member in classes]
        parts = [total / (size * (size - 1)) for total, size in zip(squares, sizes, strict=True)]
        variance = float(sum(parts))
        spread = sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
        freedom = variance**2 / spread if spread else 0.0
    else:
        freedom = float(min(np.unique(codes[member]).size for member in classes) - 1)
        if not freedom:
            return 0.0, 0.0
        sums = np.bincount(codes, influence / np.where(classes[1], sizes[1], sizes[0]), count)
        variance = float(sums @ sums) * count / (count - 1)
    return (math.sqrt(variance), freedom) if variance > 1e-24 else (0.0, 0.0)


def _rank_sum_p(values: Floats, area: float, positive: int, negative: int) -> float:
    """Two-sided normal p-value of the rank-sum test, with the variance corrected for ties."""
    n = positive + negative
    _, counts = np.unique(values, return_counts=True)
    ties = float((counts.astype(float) ** 3 - counts).sum()) / (n * (n - 1))
    deviation = math.sqrt((n + 1 - ties) / (12 * positive * negative))
    return 2 * float(scipy.special.ndtr(-abs(area - 0.5) / deviation)) if deviation else 1.0


def _hanley(area: float, positive: int, negative: int) -> float:
    """Variance of an AUROC after Hanley and McNeil (1982), with the mean class size as in Newcombe's method 5."""
    more = (positive + negative) / 2 - 1
    spread = 1 + more * (1 - area) / (2 - area) + more * area / (1 + area)
    return area * (1 - area) * spread / (positive * negative)


def _newcombe(area: float, positive: int, negative: int, z: float) -> tuple[float, float]:
    def edge(outside: float, inside: float) -> float:
        for _ in range(60):
            middle = (outside + inside) / 2
            if abs(middle - area) > z * math.sqrt(_hanley(middle, positive, negative)):
                outside = middle
            else:
                inside = middle
        return inside

    return (edge(0.0, area) if area > 0 else 0.0, edge(1.0, area) if area < 1 else 1.0)
