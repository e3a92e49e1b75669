"""Turn raw scores into probabilities: maps fitted on a dev split, applied elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, binary, floats, same_length, unit

EDGE = 1e-6  # probabilities are kept this far from 0 and 1 before their logit is taken


@dataclass(frozen=True, slots=True)
class Platt:
    """P(right) = sigmoid(slope * score + intercept). Call it with scores [n] to get probabilities [n]."""

    slope: float
    intercept: float

    def __call__(self, scores: ArrayLike) -> Floats:
        return np.asarray(scipy.special.expit(self.slope * floats(scores, "scores") + self.intercept))


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising step map, linear between the fitted scores and flat beyond them."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, scores: ArrayLike) -> Floats:
        return np.asarray(np.interp(floats(scores, "scores"), self.scores, self.probabilities))


@dataclass(frozen=True, slots=True)
class Temperature:
    """P(right) = sigmoid(logit(confidence) / temperature): above 1 softens, below 1 sharpens."""

    temperature: float

    def __call__(self, confidence: ArrayLike) -> Floats:
        return np.asarray(scipy.special.expit(_logit(confidence) / self.temperature))


def fit_platt(scores: ArrayLike, correct: ArrayLike) -> Platt:
    """Fit a logistic map by maximum likelihood on Platt's smoothed targets.

    Args:
        scores: [n] finite scores of any scale, of the dev split.
        correct: [n] right (1) or wrong (0).

    The smoothed targets keep the fit finite when scores separate the classes or one class is missing.

    Raises:
        ValueError: no scores.

    Source: Platt, "Probabilistic outputs for support vector machines" (1999); Newton steps as in Lin, Lin and Weng,
    "A note on Platt's probabilistic outputs for support vector machines" (2007).
    """
    values, labels = _pairs(floats(scores, "scores"), correct)
    right, wrong = labels.sum(), labels.size - labels.sum()
    target = np.where(labels == 1, (right + 1) / (right + 2), 1 / (wrong + 2))
    centre, scale = values.mean(), values.std() or 1.0
    design = np.stack([(values - centre) / scale, np.ones(values.size)], axis=1)

    def loss(weights: Floats) -> float:
        logits = design @ weights
        return float((np.logaddexp(0, logits) - target * logits).sum())

    weights = np.array([0.0, math.log((right + 1) / (wrong + 1))])
    for _ in range(100):
        p = scipy.special.expit(design @ weights)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
        step, size, now = np.linalg.solve(hessian, gradient), 1.0, loss(weights)
        while size > 1e-10 and loss(weights - size * step) > now - 1e-4 * size * float(gradient @ step):
            size /= 2
        weights = weights - size * step
        if float(gradient @ step) < 1e-12 * (1 + now):
            break
    slope = float(weights[0] / scale)
    return Platt(slope, float(weights[1] - slope * centre))


def fit_isotonic(scores: ArrayLike, correct: ArrayLike) -> Isotonic:
    """Fit the rising map of least squared error (pool adjacent violators). Arguments and errors as in `fit_platt`.

    Source: Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates"
    (2002); Ayer et al. (1955).
    """
    values, labels = _pairs(floats(scores, "scores"), correct)
    distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    rates = np.bincount(inverse, labels) / counts
    fitted = scipy.optimize.isotonic_regression(rates, weights=counts).x
    # inside a flat stretch only its two ends matter
    inner = np.zeros(distinct.size, bool)
    inner[1:-1] = (fitted[1:-1] == fitted[:-2]) & (fitted[1:-1] == fitted[2:])
    return Isotonic(tuple(map(float, distinct[~inner])), tuple(map(float, fitted[~inner])))


def fit_temperature(confidence: ArrayLike, correct: ArrayLike) -> Temperature:
    """Fit one temperature to confidences within [0, 1] by maximum likelihood, between 0.01 and 100.

    Arguments and errors as in `fit_platt`.

    Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017).
    """
    logits, labels = _pairs(_logit(confidence), correct)

    def loss(log_temperature: float) -> float:
        scaled = logits * math.exp(-log_temperature)
        return float((np.logaddexp(0, scaled) - labels * scaled).sum())

    edge = math.log(100)
    found = scipy.optimize.minimize_scalar(loss, bounds=(-edge, edge), method="bounded", options={"xatol": 1e-8})
    return Temperature(math.exp(float(found.x)))


def _pairs(values: Floats, correct: ArrayLike) -> tuple[Floats, Floats]:
    labels = binary(correct)
    same_length(scores=values, correct=labels)
    if not labels.size:
        raise ValueError("no scores to fit on: give the answers of a dev split")
    return values, labels


def _logit(confidence: ArrayLike) -> Floats:
    return np.asarray(scipy.special.logit(np.clip(unit(confidence, "confidence"), EDGE, 1 - EDGE)))
