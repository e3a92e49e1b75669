"""The likelihood of comparisons with ties, row by row, for strengths, covariates and tie parameters at once.

With eta the log odds of left against right and delta the log of Davidson's nu, a row has the probabilities
exp(eta/2)/Z, exp(delta)/Z and exp(-eta/2)/Z of left, tie and right. Without a tie parameter a tie is half a win for
each, and delta is minus infinity. Either way the model is an exponential family in (eta, delta): its statistics are
half the outcome and the tie, so that a row may also carry their expectations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Comparisons

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Comparisons as the likelihood reads them.

    Attributes:
        k: number of systems.
        left, right: [n] codes.
        outcome: [n] from -1 to 1, possibly an expectation.
        tie: [n] from 0 to 1, possibly an expectation.
        weight: [n], possibly negative (a term that is taken away).
    """

    k: int
    left: Codes
    right: Codes
    outcome: Floats
    tie: Floats
    weight: Floats


@dataclass(frozen=True, eq=False)
class Terms:
    """Per row: log-likelihood, its slopes in eta and delta, and the information about both (all without weight)."""

    value: Floats
    slope: Floats
    tie_slope: Floats
    curve: Floats
    cross: Floats
    tie_curve: Floats


def rows_of(comparisons: Comparisons) -> Rows:
    outcome = comparisons.outcome.astype(np.float64)
    weight = np.ones(len(comparisons)) if comparisons.weight is None else comparisons.weight
    left, right = comparisons.left.astype(np.int64), comparisons.right.astype(np.int64)
    return Rows(len(comparisons.names), left, right, outcome, (outcome == 0).astype(np.float64), weight)


def points_guess(rows: Rows, which: NDArray[np.bool_]) -> Floats:
    """[k] log odds of the share of points won, where a search for strengths may start; half a win and loss added."""
    weight = np.where(which, rows.weight, 0.0)
    won = difference(rows, weight * rows.outcome) / 2
    played = np.bincount(rows.left, weight, rows.k) + np.bincount(rows.right, weight, rows.k)
    odds = np.log((played / 2 + won + 0.5) / (played / 2 - won + 0.5))
    return np.asarray(odds - odds.mean())


def probabilities(eta: Floats, delta: Floats | float | None) -> tuple[Floats, Floats, Floats]:
    """[n] chance of left, tie and right; `delta` None: ties do not exist."""
    if delta is None:
        return scipy.special.expit(eta), np.zeros_like(eta), scipy.special.expit(-eta)
    logs = np.stack([eta / 2, np.broadcast_to(delta, eta.shape), -eta / 2])
    left, tie, right = scipy.special.softmax(logs, axis=0)
    return left, tie, right


def terms(rows: Rows, eta: Floats, delta: Floats | float | None) -> Terms:
    left, tie, right = probabilities(eta, delta)
    gap = left - right
    if delta is None:
        value = rows.outcome * eta / 2 - np.logaddexp(eta / 2, -eta / 2)
    else:
        normaliser = np.logaddexp(np.logaddexp(eta / 2, -eta / 2), delta)
        tied = np.multiply(rows.tie, delta, out=np.zeros_like(eta), where=rows.tie != 0)
        value = rows.outcome * eta / 2 + tied - normaliser
    return Terms(
        value,
        (rows.outcome - gap) / 2,
        np.zeros_like(eta) if delta is None else rows.tie - tie,
        (left + right - gap**2) / 4,
        -gap * tie / 2,
        tie * (1 - tie),
    )


def gradient(rows: Rows, of_row: Terms, scale: Floats | float, columns: Floats, tie_columns: Floats) -> Floats:
    """[k + p + q] gradient in strengths, coefficients of `columns` [n, p] and of `tie_columns` [n, q]."""
    slope = rows.weight * of_row.slope
    return np.concatenate(
        [difference(rows, slope * scale), columns.T @ slope, tie_columns.T @ (rows.weight * of_row.tie_slope)]
    )


def information(rows: Rows, of_row: Terms, scale: Floats | float, columns: Floats, tie_columns: Floats) -> Floats:
    """[k + p + q, k + p + q] information; eta = scale * (strength of left - of right) + columns @ coefficients."""
    k, p = rows.k, columns.shape[1]
    curve, cross, tie_curve = (rows.weight * part for part in (of_row.curve, of_row.cross, of_row.tie_curve))
    out = np.zeros((k + p + tie_columns.shape[1],) * 2)
    out[:k, :k] = laplacian(rows, curve * scale**2)
    for q in range(p):
        out[:k, k + q] = difference(rows, curve * scale * columns[:, q])
    for q in range(tie_columns.shape[1]):
        out[:k, k + p + q] = difference(rows, cross * scale * tie_columns[:, q])
    out[k : k + p, k : k + p] = columns.T @ (curve[:, None] * columns)
    out[k : k + p, k + p :] = columns.T @ (cross[:, None] * tie_columns)
    out[k + p :, k + p :] = tie_columns.T @ (tie_curve[:, None] * tie_columns)
    upper = np.triu(out, 1)
    return np.asarray(upper + upper.T + np.diag(out.diagonal()))


def scores(rows: Rows, of_row: Terms, scale: Floats | float, columns: Floats, tie_columns: Floats) -> Any:
    """[n, k + p + q] sparse array: each row's own gradient, without its weight."""
    n, slope = len(rows.left), of_row.slope * scale
    at = np.arange(n)
    strengths = scipy.sparse.csr_array(
        (np.concatenate([slope, -slope]), (np.concatenate([at, at]), np.concatenate([rows.left, rows.right]))),
        shape=(n, rows.k),
    )
    rest = [of_row.slope[:, None] * columns, of_row.tie_slope[:, None] * tie_columns]
    return scipy.sparse.hstack([strengths, *(scipy.sparse.csr_array(part) for part in rest)], format="csr")


def difference(rows: Rows, values: Floats) -> Floats:
    """[k] sum of values over the rows where a system is left minus those where it is right."""
    return np.asarray(np.bincount(rows.left, values, rows.k) - np.bincount(rows.right, values, rows.k))


def laplacian(rows: Rows, values: Floats) -> Floats:
    """[k, k] sum over rows of value * (e_left - e_right)(e_left - e_right)^T."""
    pairs = np.bincount(rows.left * rows.k + rows.right, values, rows.k**2).reshape(rows.k, rows.k)
    pairs = pairs + pairs.T
    return np.asarray(np.diag(pairs.sum(axis=1)) - pairs)
