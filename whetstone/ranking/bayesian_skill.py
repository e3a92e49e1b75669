"""A normal belief about each system's skill, updated in closed form after every ranking of several systems."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking.comparisons import Comparisons, Rankings
from whetstone.ranking.ranking import Ranking

MEAN, DEVIATION = 25.0, 25.0 / 3
BETA = DEVIATION / 2
FLOOR = 1e-4


@method(
    "ranking",
    presets={
        "k_sort_arena": (
            "K-Sort Arena: Efficient and Reliable Benchmarking for Generative Models via K-wise Human Preferences",
            {"eta": 3.0},
        )
    },
    checked="tests/ranking/test_bayesian_skill.py::test_finds_the_planted_order_with_honest_deviations",
)
def bayesian_skill(
    rankings: Rankings | Comparisons,
    *,
    mean: float = MEAN,
    deviation: float = DEVIATION,
    beta: float = BETA,
    draw_margin: float = 0.0,
    eta: float = 0.0,
    level: float = 0.95,
) -> Ranking:
    """Skills after one pass of closed-form Bayesian updates over rankings of several systems, or comparisons of two.

    Args:
        rankings: rows in the order in which they came; earlier ones count through the belief they leave.
        mean, deviation: of the belief before the first row.
        beta: standard deviation of a performance around its skill.
        draw_margin: performances this close are tied; at 0 a tie says that they were equal.
        eta: standard deviations taken off the mean: 0 ranks by mean, 3 by what is nearly certain.
        level: of the limits.

    Returns:
        mean - eta * deviation [k], and, where eta is 0, covariance and credible limits of the skills.
        Skills are not correlated in this belief, and rows with an old belief weigh less: the limits are the model's.

    Raises:
        ConfigError: a deviation or beta that is not above 0, or a negative draw margin or eta.

    Source: "K-Sort Arena" (2024), all pairs of a ranking with moment matching as in Weng and Lin, "A Bayesian
    approximation method for online ranking" (2011), algorithm 3 (Thurstone-Mosteller) without its extra damping.
    """
    if min(deviation, beta) <= 0 or min(draw_margin, eta) < 0:
        raise ConfigError("deviation and beta must be above 0, draw_margin and eta 0 or more")
    k = len(rankings.names)
    means, variances = [mean] * k, [deviation**2] * k
    for systems, places in _results(rankings):
        new = update(
            [means[i] for i in systems],
            [variances[i] for i in systems],
            places,
            beta=beta,
            draw_margin=draw_margin,
        )
        for i, m, v in zip(systems, *new, strict=True):
            means[i], variances[i] = m, v
    skills, deviations = np.asarray(means), np.sqrt(np.asarray(variances))
    half = float(scipy.special.ndtri((1 + level) / 2)) * deviations
    return Ranking(
        "bayesian_skill",
        rankings.names,
        skills - eta * deviations,
        None if eta else np.diag(deviations**2),
        None if eta else skills - half,
        None if eta else skills + half,
        n=len(rankings),
        settings={
            "scale": f"skill, before the first row {mean:g} with deviation {deviation:g}",
            "beta": beta,
            "draw_margin": draw_margin,
            "eta": eta,
            "level": level,
            "deviations": deviations.tolist(),
        },
    )


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


def _results(data: Rankings | Comparisons) -> list[tuple[list[int], list[int]]]:
    """Systems and their places, row by row."""
    if isinstance(data, Comparisons):
        places = {1: [0, 1], 0: [0, 0], -1: [1, 0]}
        rows = zip(data.left.tolist(), data.right.tolist(), data.outcome.tolist(), strict=True)
        return [([i, j], places[outcome]) for i, j, outcome in rows]
    new = np.ones(data.order.shape, dtype=bool) if data.tied is None else ~data.tied
    places_of = np.cumsum(new, axis=1).tolist()
    return [
        ([i for i in order if i >= 0], place[: sum(i >= 0 for i in order)])
        for order, place in zip(data.order.tolist(), places_of, strict=True)
    ]
