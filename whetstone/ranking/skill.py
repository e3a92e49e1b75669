"""The closed-form update of normal beliefs about skills after one ranking of several systems."""

from __future__ import annotations

import math
from collections.abc import Sequence

MEAN, DEVIATION = 25.0, 25.0 / 3
BETA = DEVIATION / 2
FLOOR = 1e-4


def update(
    means: Sequence[float],
    variances: Sequence[float],
    places: Sequence[int],
    *,
    beta: float = BETA,
    draw_margin: float = 0.0,
    floor: float = FLOOR,
) -> tuple[list[float], list[float]]:
    """Means and variances of the skills of K systems after one ranking of them.

    Args:
        means, variances: [K] before.
        places: [K] lower is better, equal is tied.
        beta, draw_margin: as in `bayesian_skill`.
        floor: least factor by which one ranking may shrink a variance.

    For each pair, with c^2 = var_i + var_j + 2 beta^2 and t = (mean_i - mean_j) / c, the exact posterior of one
    comparison moves the mean by var_i / c * v and takes var_i^2 / c^2 * w off the variance; a ranking adds these up.
    """
    shifts, shrinks = [0.0] * len(means), [0.0] * len(means)
    for i in range(len(means)):
        for j in range(i + 1, len(means)):
            c = math.sqrt(variances[i] + variances[j] + 2 * beta**2)
            sign = 1.0 if places[i] <= places[j] else -1.0
            t, margin = sign * (means[i] - means[j]) / c, draw_margin / c
            v, w = _drawn(t, margin) if places[i] == places[j] else _won(t - margin)
            shifts[i] += sign * variances[i] / c * v
            shifts[j] -= sign * variances[j] / c * v
            shrinks[i] += variances[i] / c**2 * w
            shrinks[j] += variances[j] / c**2 * w
    return (
        [mean + shift for mean, shift in zip(means, shifts, strict=True)],
        [variance * max(1 - shrink, floor) for variance, shrink in zip(variances, shrinks, strict=True)],
    )


def _won(t: float) -> tuple[float, float]:
    """Shift and shrink of a normal cut off below -t, in its standard deviations."""
    below = math.erfc(-t / math.sqrt(2)) / 2
    v = _density(t) / below if below > 1e-290 else -t
    return v, min(v * (v + t), 1.0)


def _drawn(t: float, margin: float) -> tuple[float, float]:
    """The same of a normal kept within `margin` around -t; at margin 0, of one known to lie there."""
    inside = (math.erf((margin - t) / math.sqrt(2)) + math.erf((margin + t) / math.sqrt(2))) / 2
    if inside < 1e-12:
        return -t, 1.0
    high, low = _density(margin - t), _density(margin + t)
    v = (low - high) / inside
    return v, v * v + ((margin - t) * high + (margin + t) * low) / inside


def _density(t: float) -> float:
    return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
