"""Newton's method with step halving, for likelihoods that do not change when one number is added to all strengths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import TaskError

Floats = NDArray[np.float64]
Derivatives = tuple[float, Floats, Floats]

LONGEST = 4.0
"""No parameter moves further in one step, so that a search that starts far off stays where the likelihood is curved."""

WORST = 1e13
"""Largest variance times largest information with which an inverse is still more than rounding."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Parameters [p] at the maximum, the information [p, p] there (negative Hessian) and the steps it took."""

    parameters: Floats
    information: Floats
    value: float
    steps: int


def maximise(
    derivatives: Callable[[Floats], Derivatives],
    start: Floats,
    free: int,
    *,
    limit: int = 200,
    tolerance: float = 1e-10,
) -> Maximum:
    """The maximum of a log-likelihood.

    Args:
        derivatives: parameters [p] -> value, gradient [p], information [p, p]. The information may be expected rather
            than observed, and need not be positive definite away from the maximum.
        start: [p]
        free: the first so many parameters are strengths whose sum the likelihood leaves open; it is kept.
        limit: most steps.
        tolerance: largest change of a parameter in the last step.

    Raises:
        TaskError: no maximum was reached in `limit` steps.
    """
    at = np.asarray(start, dtype=np.float64)
    value, gradient, information = derivatives(at)
    for step_number in range(1, limit + 1):
        step = _ascent(information, gradient, free)
        step *= min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
        size, best = 1.0, None
        while size > 1e-8:
            there = derivatives(at + size * step)
            if there[0] >= value - 1e-12 * (1 + abs(value)):
                best = there
                break
            size /= 2
        if best is None:
            raise TaskError("the likelihood cannot be raised further and is not at its maximum: too few comparisons")
        at = at + size * step
        value, gradient, information = best
        if np.abs(size * step).max() < tolerance * (1 + np.abs(at).max()):
            return Maximum(at, information, value, step_number)
    raise TaskError(f"no maximum of the likelihood after {limit} steps: the comparisons do not determine all strengths")


def inverse(information: Floats, k: int, free: int) -> Floats:
    """[p, p] covariance of parameters of which the first `k`, the strengths, are centred to sum 0.

    `free` is that of `maximise`: `k`, or 0 under a prior.

    Raises:
        TaskError: the information does not determine all parameters.
    """
    fault = "the comparisons do not determine all parameters of the model: too few, or too evenly balanced"
    try:
        factor = scipy.linalg.cho_factor(_held(information, free))
    except np.linalg.LinAlgError as error:
        raise TaskError(fault) from error
    centre = np.eye(len(information))
    centre[:k, :k] -= 1 / k
    covariance = np.asarray(centre @ scipy.linalg.cho_solve(factor, centre.T))
    if covariance.diagonal().max() * information.diagonal().max() > WORST:
        raise TaskError(fault)
    return covariance


def _held(information: Floats, free: int) -> Floats:
    """The information with a term that holds the sum of the first `free` parameters."""
    matrix = information.copy()
    if free:
        matrix[:free, :free] += max(1e-300, float(np.trace(information[:free, :free])) / free**2)
    return matrix


def _ascent(information: Floats, gradient: Floats, free: int) -> Floats:
    """Newton's step; where the information is not positive definite, the step of one that is made so."""
    matrix, ridge = _held(information, free), 0.0
    scale = max(1e-300, float(np.abs(matrix.diagonal()).mean()))
    while True:
        try:
            factor = scipy.linalg.cho_factor(matrix + ridge * np.eye(len(matrix)))
            return np.asarray(scipy.linalg.cho_solve(factor, gradient))
        except np.linalg.LinAlgError:
            ridge = max(1e-6 * scale, 10 * ridge)
