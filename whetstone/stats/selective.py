"""Selective prediction: how accuracy grows when the least confident answers are withheld.

Equal scores are an even mixture of all their orders, so that no number depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, binary, floats, rarer, same_length, select
from whetstone.stats.bootstrap import bootstrap, on_scale
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import proportion


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Risk against coverage at every distinct threshold: answer when the score is at least `thresholds[i]`.

    `coverage[i]` is the share answered and `risk[i]` the share of wrong answers among them.
    """

    thresholds: tuple[float, ...]
    coverage: tuple[float, ...]
    risk: tuple[float, ...]


def risk_coverage(scores: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """The risk-coverage curve, from the strictest threshold to answering everything.

    Args:
        scores: [n] confidence of any scale, higher is surer; infinite scores are allowed.
        correct: [n] right (1) or wrong (0). n = 0 gives an empty curve.

    Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification" (2010).
    """
    ranked, labels, ends = _ranked(scores, correct)
    if not ends.size:
        return RiskCoverage((), (), ())
    seen, wrong = ends + 1, np.cumsum(1 - labels)[ends]
    return RiskCoverage(
        tuple(map(float, ranked[ends])), tuple(map(float, seen / labels.size)), tuple(map(float, wrong / seen))
    )


def aurc(
    scores: ArrayLike,
    correct: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Area under the risk-coverage curve: mean risk over all coverages 1/n .. 1 (lower is better).

    The interval is made from the bootstrap stderr on the logit scale with a t quantile for the rarer class, since
    percentiles miss too often above. Arguments are those of `risk_coverage` and `bootstrap`.

    Source: Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers" (2019),
    with ties by their expected risk.
    """
    return _area(scores, correct, lambda area, wrong, total: area, "logit", groups, rounds, level, seed)


def excess_aurc(
    scores: ArrayLike,
    correct: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """E-AURC: the AURC above that of a perfect score with the same answers (0 is perfect).

    Unlike AURC it can be compared between models of different accuracy. The interval is made on the log scale
    and covers in about 93 % of simulations at a level of 95 %. Arguments are those of `aurc`.

    Source: Geifman, Uziel and El-Yaniv (2019), with the exact finite sum for the perfect score.
    """

    def excess(area: Floats, wrong: Floats, total: Floats) -> Floats:
        table = _harmonic(int(total.max()))
        right = total - wrong
        perfect = (wrong - right * (table[total.astype(int)] - table[right.astype(int)])) / total
        gap = area - perfect
        return np.where(gap < 1e-12, 0.0, gap)

    return _area(scores, correct, excess, "log", groups, rounds, level, seed)


def accuracy_at_coverage(
    scores: ArrayLike,
    correct: ArrayLike,
    coverage: float,
    *,
    groups: Groups | None = None,
    level: float = 0.95,
) -> Estimate:
    """Accuracy of the surest share `coverage` (rounded up to whole answers) of all answers.

    The interval takes the chosen answers as given. Where equal scores straddle the cut, all of them are counted,
    and the note gives the coverage that results.

    Raises:
        ValueError: `coverage` is not within (0, 1].

    Source: El-Yaniv and Wiener (2010); interval: that of `proportion`.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must lie above 0 and be at most 1, not {coverage}")
    values, labels = floats(scores, "scores", infinite=True), binary(correct)
    same_length(scores=values, correct=labels)
    n = labels.size
    if not n:
        return Estimate(None, None, 0, None, "wilson", "no answers")
    wanted = int(np.ceil(coverage * n - 1e-9))
    answered = np.flatnonzero(values >= np.sort(values)[n - wanted])
    kept = select(groups, answered)
    found = proportion(labels[answered], groups=kept, level=level)
    if answered.size == wanted:
        return found
    note = f"equal scores at the cut: coverage {answered.size / n:.3g} instead of {coverage:.3g}"
    return Estimate(found.value, found.interval, found.n, found.stderr, found.method, note)


def _ranked(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats, Codes]:
    """Scores and labels by falling score, and the last position of each run of equal scores."""
    values, labels = floats(scores, "scores", infinite=True), binary(correct)
    same_length(scores=values, correct=labels)
    order = np.argsort(-values, kind="stable")
    values = values[order]
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True)) if values.size else np.empty(0, np.intp)
    return values, labels[order], ends


def _area(
    scores: ArrayLike,
    correct: ArrayLike,
    finish: Callable[[Floats, Floats, Floats], Floats],
    scale: Literal["log", "logit"],
    groups: Groups | None,
    rounds: int,
    level: float,
    seed: int,
) -> Estimate:
    """Bootstrap of finish(AURC, wrong answers, all answers) over weight rows."""
    values, labels = floats(scores, "scores", infinite=True), binary(correct)
    _, ordered, ends = _ranked(values, labels)
    order = np.argsort(-values, kind="stable")

    def statistic(weights: Floats) -> Floats:
        drawn = weights[:, order]
        seen = np.cumsum(drawn, axis=1)[:, ends]
        wrong = np.cumsum(drawn * (1 - ordered), axis=1)[:, ends]
        size, errors = np.diff(seen, axis=1, prepend=0), np.diff(wrong, axis=1, prepend=0)
        table = _harmonic(int(seen[:, -1].max()))
        before = seen - size
        rate = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)
        # within a run of ties the expected errors grow linearly, so their risks sum to a harmonic difference
        steps = table[seen.astype(int)] - table[before.astype(int)]
        risks = size * rate + (wrong - errors - before * rate) * steps
        return finish(risks.sum(axis=1) / seen[:, -1], wrong[:, -1], seen[:, -1])

    found = bootstrap(statistic, labels.size, groups=groups, rounds=rounds, level=level, seed=seed)
    return on_scale(found, scale, rarer(labels, groups) - 1, level)


def _harmonic(n: int) -> Floats:
    """The harmonic numbers H_0 .. H_n."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
