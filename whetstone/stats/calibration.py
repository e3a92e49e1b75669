"""Does confidence mean what it says? Reliability, expected calibration error and Brier score, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, binary, check_level, clusters, same_length, select, unit
from whetstone.stats.bootstrap import CELLS, bootstrap_mean, resamples
from whetstone.stats.estimate import Estimate, HypothesisTest
from whetstone.stats.intervals import proportion

Scheme = Literal["width", "mass"]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One point of a reliability diagram: mean confidence against accuracy, and the range of confidences in it."""

    low: float
    high: float
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class BrierParts:
    """brier = reliability - resolution + uncertainty + within, exactly.

    `reliability` is the cost of miscalibration, `resolution` the gain of telling items apart, `uncertainty` the
    score of always saying the base rate; `within` is what binning hides (0 when equal confidences share a bin).
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def reliability(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    scheme: Scheme = "width",
    groups: Groups | None = None,
    level: float = 0.95,
) -> list[ReliabilityBin]:
    """The filled bins of a reliability diagram, by rising confidence.

    Args:
        confidence: [n] within [0, 1].
        correct: [n] right (1) or wrong (0).
        bins: number of bins.
        scheme: "width" for bins of equal width (each with its upper edge), "mass" for bins of (nearly) equal
            counts; equal confidences always share a bin.
        groups: [n] cluster of each item.
        level: confidence level of each bin's accuracy.

    Source: DeGroot and Fienberg, "The comparison and evaluation of forecasters" (1983).
    """
    values, labels = _checked(confidence, correct)
    cells = _cells(values, bins, scheme)
    out = []
    for cell in np.unique(cells):
        here = np.flatnonzero(cells == cell)
        inside = values[here]
        kept = select(groups, here)
        accuracy = proportion(labels[here], groups=kept, level=level)
        out.append(ReliabilityBin(float(inside.min()), float(inside.max()), float(inside.mean()), accuracy))
    return out


def ece(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    scheme: Scheme = "width",
    groups: Groups | None = None,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Expected calibration error: the mean over items of |accuracy - mean confidence| of their bin.

    The value is the usual plug-in, which noise pushes up: even perfect calibration gives a positive one (the note
    says how large). Bootstrap percentiles share that bias and never cover 0, so the lower limit is found by asking
    which true gaps, with bootstrap noise added, would give so large a value by chance; it is 0 when perfect
    calibration would. The interval is for the error of the bins as they stand. Arguments are those of
    `reliability` and `bootstrap`.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning" (2015);
    equal mass: Nguyen and O'Connor (2015); bias: Kumar, Liang and Ma, "Verified uncertainty calibration" (2019).
    """
    test = ece_test(confidence, correct, bins=bins, scheme=scheme, groups=groups, rounds=rounds, level=level, seed=seed)
    return test.effect


def ece_test(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    scheme: Scheme = "width",
    groups: Groups | None = None,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> HypothesisTest:
    """`ece`, tested against perfect calibration by drawing labels from the confidences themselves.

    With groups, labels within a cluster may depend on each other, so the null is the centred cluster bootstrap.
    Arguments are those of `ece`.

    Source: Bröcker and Smith, "Increasing the reliability of reliability diagrams" (2007); Vaicenavicius et al.,
    "Evaluating model calibration in classification" (2019).
    """
    values, labels = _checked(confidence, correct)
    tail = check_level(level) / 2
    n, method = values.size, f"ece equal {scheme}"
    if not n:
        return HypothesisTest(Estimate(None, None, 0, None, method, "no answers"), None, 0.0, method)
    cells, codes = _cells(values, bins, scheme), clusters(groups, n)
    units, rng = int(codes.max()) + 1, np.random.default_rng(seed)
    gaps = np.bincount(cells, labels - values, bins) / n
    value = float(np.abs(gaps).sum())
    if units < 2:
        note = "one answer" if n == 1 else "a single cluster"
        return HypothesisTest(Estimate(value, None, n, None, method, f"{note}: spread unknown"), None, 0.0, method)
    parts = np.zeros((n, bins))
    parts[np.arange(n), cells] = (labels - values) / n
    noise = np.concatenate([weights @ parts for weights in resamples(codes, units, rounds, rng)]) - gaps
    noise += rng.normal(size=noise.shape) * _missing_spread(cells, labels, codes, bins) / n
    null = noise if units < n else _calibrated_gaps(values, cells, bins, rounds, rng)
    by_chance = np.abs(null).sum(axis=1)
    p = (int(np.count_nonzero(by_chance >= value * (1 - 1e-9))) + 1) / (rounds + 1)
    low = _least_gap(gaps, noise, tail) if p <= 2 * tail else 0.0
    high = min(1.0, value + float(np.quantile(noise @ np.where(gaps < 0, -1, 1), 1 - tail)))
    note = f"perfect calibration would give {by_chance.mean():.3g} on average"
    spread = float(np.abs(gaps + noise).sum(axis=1).std(ddof=1)) or None
    return HypothesisTest(Estimate(value, (low, max(high, value)), n, spread, method, note), p, 0.0, method)


def brier(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    groups: Groups | None = None,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Brier score, the mean squared gap between confidence and outcome, with a bootstrap interval.

    Arguments are those of `reliability` and `bootstrap`.

    Source: Brier, "Verification of forecasts expressed in terms of probability" (1950), for one class of two.
    """
    values, labels = _checked(confidence, correct)
    return bootstrap_mean((values - labels) ** 2, groups=groups, rounds=rounds, level=level, seed=seed)


def brier_parts(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10, scheme: Scheme = "width"
) -> BrierParts | None:
    """The Brier score split into reliability, resolution and uncertainty; None without answers.

    Source: Murphy, "A new vector partition of the probability score" (1973); the term within bins: Stephenson,
    Coelho and Jolliffe, "Two extra components in the Brier score decomposition" (2008).
    """
    values, labels = _checked(confidence, correct)
    if not values.size:
        return None
    cells = _cells(values, bins, scheme)
    sizes = np.maximum(np.bincount(cells, minlength=bins), 1)
    centre = (np.bincount(cells, values, bins) / sizes)[cells]
    rate = (np.bincount(cells, labels, bins) / sizes)[cells]
    base = labels.mean()
    score = float(np.mean((values - labels) ** 2))
    gap, gain = float(np.mean((centre - rate) ** 2)), float(np.mean((rate - base) ** 2))
    uncertainty = float(base * (1 - base))
    return BrierParts(score, gap, gain, uncertainty, score - gap + gain - uncertainty)


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    values, labels = unit(confidence, "confidence"), binary(correct)
    same_length(confidence=values, correct=labels)
    return values, labels


def _cells(values: Floats, bins: int, scheme: Scheme) -> Codes:
    """The bin number (0 .. bins - 1) of each value."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    if scheme == "width":
        # inner edges as decimals of the width, so that 0.3 falls where 3/10 says, not where 0.1 * 3 does
        edges = np.arange(1, bins) / bins
        return np.asarray(np.searchsorted(edges, values, side="left"))
    if scheme != "mass":
        raise ValueError(f'scheme must be "width" or "mass", not {scheme!r}')
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / max(1, values.size)
    return np.asarray((middle * bins).astype(int)[inverse])


def _calibrated_gaps(values: Floats, cells: Codes, bins: int, rounds: int, rng: np.random.Generator) -> Floats:
    """Gaps [rounds, bins] when each answer is right with the probability that its confidence says."""
    member = np.zeros((values.size, bins))
    member[np.arange(values.size), cells] = 1 / values.size
    out = np.empty((rounds, bins))
    chunk = max(1, CELLS // values.size)
    for start in range(0, rounds, chunk):
        drawn = rng.random((min(chunk, rounds - start), values.size)) < values
        out[start : start + chunk] = (drawn - values) @ member
    return out


def _missing_spread(cells: Codes, labels: Floats, codes: Codes, bins: int) -> Floats:
    """Standard deviation [bins] that a bin's labels should add but, nearly all alike, cannot show in resamples.

    It is that of a share moved towards one half by four pseudo-counts (Agresti and Coull, 1998), less the observed.
    """
    sizes, right = np.bincount(cells, minlength=bins), np.bincount(cells, labels, bins)
    units = np.maximum(1, np.bincount(np.unique(np.stack([cells, codes]), axis=1)[0], minlength=bins))
    share = right / np.maximum(1, sizes)
    moved = (share * units + 2) / (units + 4)
    return np.asarray(sizes * np.sqrt(np.maximum(0, moved * (1 - moved) - share * (1 - share)) / units))


def _least_gap(gaps: Floats, noise: Floats, tail: float) -> float:
    """The smallest true error that exceeds the observed one with probability `tail`, all gaps shrunk alike."""
    value = np.abs(gaps).sum()

    def reached(cut: float) -> tuple[float, float]:
        shrunk = np.sign(gaps) * np.maximum(np.abs(gaps) - cut, 0)
        return float(np.mean(np.abs(shrunk + noise).sum(axis=1) >= value)), float(np.abs(shrunk).sum())

    small, large = 0.0, float(np.abs(gaps).max())
    for _ in range(20):
        middle = (small + large) / 2
        small, large = (middle, large) if reached(middle)[0] > tail else (small, middle)
    return reached(large)[1]
