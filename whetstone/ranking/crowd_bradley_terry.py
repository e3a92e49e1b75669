"""Bradley-Terry strengths from judges of unknown reliability: each judge's votes count for what they are worth."""

from __future__ import annotations

import numpy as np
import scipy

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._covariance import robust
from whetstone.ranking._davidson import Codes, Rows, difference, laplacian, points_guess, rows_of
from whetstone.ranking._newton import Derivatives, Floats, inverse, maximise
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_crowd_bradley_terry.py::test_finds_reliable_random_and_contrary_judges")
def crowd_bradley_terry(
    comparisons: Comparisons,
    *,
    right: float = 0.5,
    wrong: float = 0.1,
    prior: float = 1.0,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Strengths and the reliability of each judge, fitted together; a tie is half a vote each way.

    Args:
        comparisons: rows with judges.
        right, wrong: each judge is taken to have given so many right and wrong votes before (a beta prior on
            reliability); more right than wrong, since otherwise all judges could be contrary and all ranks reversed.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0. There must be one: a
            judge taken to err explains away what would bound a strength.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log-odds [k] with mean 0 in the eyes of a judge who is always right. The covariance is the inverse information,
        which told equal systems apart in no simulation where a sandwich did in 12 %; with groups it is a sandwich
        clustered by them. `settings["judges"]` holds each judge's reliability with limits, and its votes.
        Reliability is the chance that a vote is what the strengths' own chance says: 1 always, 0.5 votes at random, 0
        the opposite.

    Raises:
        TaskError: the comparisons do not say who judged.
        ConfigError: `right` is not above `wrong`, or `wrong` not above 0.

    Source: Chen et al., "Pairwise ranking aggregation in a crowdsourced setting" (2013).
    """
    if comparisons.judge is None:
        raise TaskError("column judge is missing: the reliability of judges needs to know who judged")
    if not prior > 0:
        raise ConfigError(f"prior must be above 0, not {prior}")
    if not right > wrong > 0:
        raise ConfigError(f"right must be above wrong, and wrong above 0, not {right} and {wrong}")
    k, m = len(comparisons.names), len(comparisons.judges)
    rows, judge = rows_of(comparisons), comparisons.judge.astype(np.int64)
    grounds = grounds_of(count(comparisons), prior)

    def derivatives(theta: Floats) -> Derivatives:
        value, slope, curve = grounds.anchor(theta[:k])
        log_right, log_wrong = scipy.special.log_expit(theta[k:]), scipy.special.log_expit(-theta[k:])
        trust = np.exp(log_right)
        value += float((right * log_right + wrong * log_wrong).sum())
        terms = _terms(rows, judge, theta)
        gradient = np.concatenate([slope, right - (right + wrong) * trust])
        gradient[:k] += difference(rows, rows.weight * terms[1])
        gradient[k:] += np.bincount(judge, rows.weight * terms[2], m)
        information = np.zeros((k + m, k + m))
        information[:k, :k] = curve + laplacian(rows, rows.weight * terms[3])
        of_judges = np.bincount(judge, rows.weight * terms[5], m)
        information[k:, k:] = np.diag(of_judges + (right + wrong) * trust * (1 - trust))
        cross = rows.weight * terms[4]
        shared = np.bincount(rows.left * m + judge, cross, k * m) - np.bincount(rows.right * m + judge, cross, k * m)
        information[:k, k:] += shared.reshape(k, m)
        information[k:, :k] = information[:k, k:].T
        return value + float(rows.weight @ terms[0]), gradient, information

    start = np.concatenate([points_guess(rows, np.ones(len(judge), dtype=bool)), np.full(m, np.log(right / wrong))])
    fit = maximise(derivatives, start, grounds.free)
    bread = inverse(fit.information, k, grounds.free)
    terms = _terms(rows, judge, fit.parameters)
    at = np.arange(len(judge))
    columns = np.concatenate([rows.left, rows.right, k + judge])
    scores = scipy.sparse.csr_array(
        (np.concatenate([terms[1], -terms[1], terms[2]]), (np.tile(at, 3), columns)), shape=(len(judge), k + m)
    )
    trusted = grounds.robust and comparisons.group is not None
    spread = robust(bread, scores, rows.weight, comparisons.group, trusted=trusted)
    return ranked(
        "crowd_bradley_terry",
        comparisons.names,
        fit.parameters[:k] - fit.parameters[:k].mean(),
        spread,
        n=len(comparisons),
        level=level,
        seed=seed,
        settings={
            "scale": "natural log-odds for a judge who is always right",
            "right": right,
            "wrong": wrong,
            "prior": grounds.weight,
            "judges": _reliabilities(comparisons, fit.parameters[k:], bread[k:, k:], level),
        },
        notes=(*left_out(comparisons), *grounds.notes),
        part=grounds.part,
    )


def _reliabilities(comparisons: Comparisons, logits: Floats, covariance: Floats, level: float) -> dict[str, Json]:
    """Limits are the model's: a judge with few votes is known through the prior, of which residuals know nothing."""
    half = scipy.special.ndtri((1 + level) / 2) * np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    value, low, high = (scipy.special.expit(logits + side * half).tolist() for side in (0, -1, 1))
    votes = np.bincount(np.asarray(comparisons.judge), minlength=len(logits)).tolist()
    return {
        name: {"reliability": value[j], "low": low[j], "high": high[j], "votes": votes[j]}
        for j, name in enumerate(comparisons.judges)
    }


def _terms(rows: Rows, judge: Codes, theta: Floats) -> tuple[Floats, ...]:
    """Per row: log-likelihood, slopes in the log-odds d and in the judge's logit u, information dd, du, uu."""
    d, u = theta[rows.left] - theta[rows.right], theta[rows.k :][judge]
    win, trust = scipy.special.expit(d), scipy.special.expit(u)
    left, right = (1 + rows.outcome) / 2, (1 - rows.outcome) / 2
    up, down = win * (1 - win), trust * (1 - trust)
    chance = np.clip(trust * win + (1 - trust) * (1 - win), 1e-12, 1 - 1e-12)
    in_d, in_u = (2 * trust - 1) * up, (2 * win - 1) * down
    slope = left / chance - right / (1 - chance)
    curve = left / chance**2 + right / (1 - chance) ** 2
    return (
        left * np.log(chance) + right * np.log1p(-chance),
        slope * in_d,
        slope * in_u,
        curve * in_d**2 - slope * in_d * (1 - 2 * win),
        curve * in_d * in_u - slope * 2 * up * down,
        curve * in_u**2 - slope * in_u * (1 - 2 * trust),
    )
