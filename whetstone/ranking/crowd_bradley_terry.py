"""Bradley-Terry strengths from judges of unknown reliability: each judge's votes count for what they are worth."""

from __future__ import annotations

import numpy as np
import scipy

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._covariance import limits, sandwich
from whetstone.ranking._davidson import Rows, difference, laplacian, points_guess, rows_of
from whetstone.ranking._newton import Derivatives, Floats, inverse, maximise
from whetstone.ranking._prior import anchor, prior_for
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking


@method("ranking", checked="tests/ranking/test_crowd_bradley_terry.py::test_finds_reliable_random_and_contrary_judges")
def crowd_bradley_terry(
    comparisons: Comparisons,
    *,
    right: float = 0.5,
    wrong: float = 0.1,
    prior: float | None = None,
    level: float = 0.95,
) -> Ranking:
    """Strengths and the reliability of each judge, fitted together; a tie is half a vote each way.

    Args:
        comparisons: rows with judges.
        right, wrong: each judge is taken to have given so many right and wrong votes before (a beta prior on
            reliability); more right than wrong, since otherwise all judges could be contrary and all ranks reversed.
        prior: comparisons that each system plays, half won, against one of strength 0; None: 0 where the maximum
            exists, 1 where it does not.
        level: confidence level.

    Returns:
        Log odds [k] of sum 0 in the eyes of a judge who is always right, with a sandwich covariance clustered by group
        where there is one. `settings["judges"]` holds for each judge the reliability with limits, and its votes.
        Reliability is the chance that a vote is what the strengths' own chance says: 1 always, 0.5 votes at random, 0
        the opposite.

    Raises:
        TaskError: the comparisons do not say who judged.
        ConfigError: `right` is not above `wrong`, or `wrong` not above 0.

    Source: Chen, Bennett, Collins-Thompson and Horvitz, "Pairwise ranking aggregation in a crowdsourced setting" (2013).
    """
    if comparisons.judge is None:
        raise TaskError("column judge is missing: the reliability of judges needs to know who judged")
    if not right > wrong > 0:
        raise ConfigError(f"right must be above wrong, and wrong above 0, not {right} and {wrong}")
    k, m = len(comparisons.names), len(comparisons.judges)
    rows, judge = rows_of(comparisons), comparisons.judge.astype(np.int64)
    weight, notes = prior_for(count(comparisons), prior)
    free = 0 if weight else k

    def derivatives(theta: Floats) -> Derivatives:
        value, slope, curve = anchor(theta[:k], weight)
        log_right, log_wrong = scipy.special.log_expit(theta[k:]), scipy.special.log_expit(-theta[k:])
        trust = np.exp(log_right)
        value += float((right * log_right + wrong * log_wrong).sum())
        terms = _terms(rows, judge, theta)
        gradient = np.concatenate([slope, right - (right + wrong) * trust])
        gradient[:k] += difference(rows, rows.weight * terms[1])
        gradient[k:] += np.bincount(judge, rows.weight * terms[2], m)
        information = np.diag(np.concatenate([curve, (right + wrong) * trust * (1 - trust)]))
        information[:k, :k] += laplacian(rows, rows.weight * terms[3])
        information[k:, k:] += np.diag(np.bincount(judge, rows.weight * terms[5], m))
        cross = rows.weight * terms[4]
        shared = np.bincount(rows.left * m + judge, cross, k * m) - np.bincount(rows.right * m + judge, cross, k * m)
        information[:k, k:] += shared.reshape(k, m)
        information[k:, :k] = information[:k, k:].T
        return value + float(rows.weight @ terms[0]), gradient, information

    start = np.concatenate([points_guess(rows, np.ones(len(judge), dtype=bool)), np.full(m, np.log(right / wrong))])
    fit = maximise(derivatives, start, free)
    bread = inverse(fit.information, k, free)
    terms = _terms(rows, judge, fit.parameters)
    at = np.arange(len(judge))
    columns = np.concatenate([rows.left, rows.right, k + judge])
    scores = scipy.sparse.csr_array(
        (np.concatenate([terms[1], -terms[1], terms[2]]), (np.tile(at, 3), columns)), shape=(len(judge), k + m)
    )
    covariance = sandwich(bread, scores, rows.weight, comparisons.group)[:k, :k]
    strengths = fit.parameters[:k] - fit.parameters[:k].mean()
    low, high = limits(strengths, covariance, level)
    # A judge with few votes is known through the prior, which only the information, not the sandwich, knows of.
    trust_low, trust_high = limits(fit.parameters[k:], bread[k:, k:], level)
    trust = [scipy.special.expit(part).tolist() for part in (fit.parameters[k:], trust_low, trust_high)]
    votes = np.bincount(judge, minlength=m).tolist()
    judges: dict[str, Json] = {
        name: {"reliability": r, "low": low_r, "high": high_r, "votes": n}
        for name, r, low_r, high_r, n in zip(comparisons.judges, *trust, votes, strict=True)
    }
    return Ranking(
        "crowd_bradley_terry",
        comparisons.names,
        strengths,
        covariance,
        low,
        high,
        n=len(comparisons),
        settings={
            "scale": "log odds for a judge who is always right, sum 0",
            "right": right,
            "wrong": wrong,
            "prior": weight,
            "level": level,
            "covariance": "sandwich" if comparisons.group is None else "sandwich, by group",
            "judges": judges,
        },
        notes=notes,
    )


def _terms(rows: Rows, judge: Floats, theta: Floats) -> tuple[Floats, ...]:
    """Per row: log-likelihood, slopes in the log odds d and in the judge's logit u, information dd, du, uu."""
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
