"""Rates and votes by a judge that errs, corrected by human votes on a part; the intervals carry the judge's error."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.ranking._newton import Floats
from whetstone.stats.estimate import Estimate

OUTCOMES = (1, 0, -1)
"""Left won, tie, right won: the order of all shares here."""


def prediction_powered_rate(
    human: ArrayLike,
    judge: ArrayLike,
    unlabelled: ArrayLike,
    *,
    power: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """A mean as humans would give it (a win rate, say), from few human and many judge values.

    Args:
        human, judge: [n] both values of the same items.
        unlabelled: [N] the judge's values of other items, of which the first n are a random part.
        power: weight of the judge from 0 to 1; None: what makes the interval shortest.
        level: confidence level.

    Returns:
        mean(human) + power * (mean(unlabelled) - mean(judge)), right on average however wrong the judge is. Unknown
        with fewer than two items of either kind.

    Source: Angelopoulos, Duchi and Zrnic, "PPI++: efficient prediction-powered inference" (2023), for a mean; Student's
    t with n - 1 degrees of freedom stands in for the normal quantile.
    """
    y, f, more = (np.asarray(part, dtype=np.float64) for part in (human, judge, unlabelled))
    if y.shape != f.shape or y.ndim != 1 or more.ndim != 1:
        raise ValueError(f"human and judge must be as long as each other: {y.shape} and {f.shape}")
    method = "prediction-powered"
    if y.size < 2 or more.size < 2:
        return Estimate(None, None, y.size, None, method, "fewer than two items with or without a human value")
    if power is None:
        spread = np.concatenate([f, more]).var(ddof=1)
        gain = np.cov(y, f)[0, 1] / (spread * (1 + y.size / more.size)) if spread > 0 else 0.0
        power = float(np.clip(gain, 0.0, 1.0))
    value = float(y.mean() + power * (more.mean() - f.mean()))
    stderr = float(np.sqrt((y - power * f).var(ddof=1) / y.size + power**2 * more.var(ddof=1) / more.size))
    if stderr == 0:
        return Estimate(value, None, y.size, None, method, "all values are equal: their spread is unknown")
    half = float(scipy.special.stdtrit(y.size - 1, (1 + level) / 2)) * stderr
    return Estimate(value, (value - half, value + half), y.size, stderr, method, f"power {power:.2f}")


def corrected_rate(
    positive: int,
    n: int,
    *,
    sensitivity: tuple[int, int],
    specificity: tuple[int, int],
    level: float = 0.95,
) -> Estimate:
    """The true rate behind a judge's rate, from how often the judge is right on items of each kind.

    Args:
        positive, n: items that the judge calls positive, of so many.
        sensitivity: items called positive, of so many that humans call positive.
        specificity: items called negative, of so many that humans call negative.
        level: confidence level.

    Returns:
        (rate + specificity - 1) / (sensitivity + specificity - 1), kept within [0, 1]. Unknown where the judge does no
        better than chance, or nothing was counted.

    Source: Rogan and Gladen, "Estimating prevalence from the results of a screening test" (1978); interval: Lang and
    Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity" (2014).
    """
    (hits, m), (rejections, others) = sensitivity, specificity
    method = "Lang-Reiczigel"
    if min(n, m, others) == 0:
        return Estimate(None, None, n, None, method, "nothing was counted")
    raw = hits / m + rejections / others - 1
    if raw <= 0:
        return Estimate(None, None, n, None, method, "the judge does no better than chance: its votes say nothing")
    z = float(scipy.special.ndtri((1 + level) / 2))
    rate, se, sp = (positive + z * z / 2) / (n + z * z), (hits + 1) / (m + 2), (rejections + 1) / (others + 2)
    youden = se + sp - 1
    if youden <= 0:
        return Estimate(None, None, n, None, method, "too few human votes to say that the judge beats chance")
    true = (rate + sp - 1) / youden
    of_se, of_sp = se * (1 - se) / (m + 2), sp * (1 - sp) / (others + 2)
    shift = 2 * z * z * (true * of_se - (1 - true) * of_sp)
    stderr = float(np.sqrt(rate * (1 - rate) / (n + z * z) + true**2 * of_se + (1 - true) ** 2 * of_sp)) / youden
    low, high = np.clip([true + shift - z * stderr, true + shift + z * stderr], 0.0, 1.0)
    value = float(np.clip((positive / n + rejections / others - 1) / raw, 0.0, 1.0))
    return Estimate(value, (min(float(low), value), max(float(high), value)), n, stderr, method)


def corrected_votes(
    human: ArrayLike, judge: ArrayLike, unlabelled: ArrayLike, *, level: float = 0.95
) -> dict[int, Estimate]:
    """Shares of left wins, ties and right wins as humans would vote, from a judge's votes and its confusions.

    Args:
        human, judge: [n] votes (1, 0, -1) of both on the same items.
        unlabelled: [N] the judge's votes on other items.
        level: confidence level.

    Returns:
        outcome -> share. Unknown where the judge's votes do not tell the human outcomes apart.

    Source: the matrix method of Barron, "The effects of misclassification on the estimation of relative risk" (1977):
    shares of judge votes are confusions times shares of human votes; interval by the delta method, each row of
    confusions with half a vote added to every cell.
    """
    y, f, more = (np.asarray(part) for part in (human, judge, unlabelled))
    table = np.asarray([[np.count_nonzero((y == u) & (f == v)) for v in OUTCOMES] for u in OUTCOMES], dtype=np.float64)
    votes = np.asarray([np.count_nonzero(more == v) for v in OUTCOMES], dtype=np.float64)
    if y.shape != f.shape or table.sum() != y.size or votes.sum() != more.size:
        raise ValueError("votes must be 1, 0 or -1, and human and judge as long as each other")
    seen = table.any(axis=1) | table.any(axis=0)
    method, unknown = "matrix method", "the judge's votes do not tell the human outcomes apart"
    if not seen.any() or not votes.sum():
        return {u: Estimate(None, None, more.size, None, method, "no votes") for u in OUTCOMES}
    confusion = (table + 0.5)[np.ix_(seen, seen)]
    totals = confusion.sum(axis=1)
    confusion /= totals[:, None]
    share = (votes[seen] + 0.5) / (votes[seen] + 0.5).sum()
    if np.linalg.cond(confusion) > 1e3 or np.linalg.det(confusion) <= 0:
        return {u: Estimate(None, None, more.size, None, method, unknown) for u in OUTCOMES}
    inverse = np.linalg.inv(confusion.T)
    true = inverse @ share
    middle = _multinomial(share) / (votes.sum() + 1)
    for row, weight, total in zip(confusion, true, totals, strict=True):
        middle += weight**2 * _multinomial(row) / total
    stderr = np.sqrt((inverse @ middle @ inverse.T).diagonal())
    half = scipy.special.ndtri((1 + level) / 2) * stderr
    found = {u: Estimate(0.0, None, more.size, None, method, "never seen") for u in OUTCOMES}
    for i, u in enumerate(np.asarray(OUTCOMES)[seen].tolist()):
        low, value, high = np.clip([true[i] - half[i], true[i], true[i] + half[i]], 0.0, 1.0)
        found[u] = Estimate(float(value), (float(low), float(high)), more.size, float(stderr[i]), method)
    return found


def _multinomial(shares: Floats) -> Floats:
    return np.diag(shares) - np.outer(shares, shares)
