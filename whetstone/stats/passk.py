"""Sampling k answers to a question: the chance that one is right (pass@k), and that the plurality is right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import scipy
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Floats, Groups, floats, same_length
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import proportion


def pass_at_k(
    right: ArrayLike,
    samples: ArrayLike | int,
    k: int,
    *,
    groups: Groups | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean over questions of the unbiased chance that at least one of k samples is right.

    Args:
        right: [questions] number of right samples of each question.
        samples: number of samples drawn, one number or [questions].
        k: number of samples that may be tried; unknown when a question has fewer samples.
        groups: [questions] cluster of each question.
        level: confidence level.

    Raises:
        ValueError: k below 1, or more right samples than samples.

    Source: Chen et al., "Evaluating large language models trained on code" (2021), equation 1: 1 - C(n-c, k) / C(n, k).
    """
    counts = floats(right, "right")
    drawn = floats(np.broadcast_to(np.asarray(samples), counts.shape) if np.ndim(samples) == 0 else samples, "samples")
    same_length(right=counts, samples=drawn)
    _check_k(k)
    if (counts < 0).any() or (counts > drawn).any():
        raise ValueError("right must lie between 0 and samples for every question")
    if short := int(np.count_nonzero(drawn < k)):
        return Estimate(None, None, counts.size, None, "pass@k", f"{short} questions have fewer than {k} samples")
    return proportion(pass_chance(counts, drawn, k), groups=groups, level=level)


def pass_chance(right: Floats, samples: Floats, k: int) -> Floats:
    """1 - C(samples - right, k) / C(samples, k) for each question, without overflow; needs samples >= k."""
    wrong = samples - right
    logs = scipy.special.gammaln
    with np.errstate(invalid="ignore"):
        log_ratio = logs(wrong + 1) - logs(wrong - k + 1) - logs(samples + 1) + logs(samples - k + 1)
    # no right sample gives exactly 0, fewer than k wrong ones exactly 1
    return np.where(right == 0, 0.0, np.where(wrong < k, 1.0, -np.expm1(np.minimum(log_ratio, 0.0))))


def majority_at_k(
    answers: Sequence[Sequence[Hashable | None]],
    correct: Sequence[Sequence[bool]],
    k: int,
    *,
    groups: Groups | None = None,
    rounds: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean over questions of the chance that the plurality answer among k samples is right.

    Args:
        answers: per question the final answer of each sample in canonical form; None (unreadable) does not vote.
        correct: per question and sample, whether that answer is right.
        k: number of voters. All samples vote when a question has exactly k; else `rounds` random subsets of size k.
        groups: [questions] cluster of each question.
        rounds, level, seed: as in `bootstrap`.

    Tied winners count by the share of them that is right; no readable vote counts as wrong. Unknown when a question
    has fewer than k samples.

    Raises:
        ValueError: k below 1, lengths that differ, or one answer called both right and wrong.

    Source: Wang et al., "Self-consistency improves chain of thought reasoning in language models" (2023).
    """
    _check_k(k)
    same_length(answers=answers, correct=correct)
    if short := sum(len(votes) < k for votes in answers):
        return Estimate(None, None, len(answers), None, "majority@k", f"{short} questions have fewer than {k} samples")
    rng = np.random.default_rng(seed)
    chances = [_plurality(votes, marks, k, rounds, rng) for votes, marks in zip(answers, correct, strict=True)]
    return proportion(chances, groups=groups, level=level)


def _plurality(
    votes: Sequence[Hashable | None], marks: Sequence[bool], k: int, rounds: int, rng: np.random.Generator
) -> float:
    same_length(answers=votes, correct=marks)
    truth = {answer: bool(mark) for answer, mark in zip(votes, marks, strict=True) if answer is not None}
    for answer, mark in zip(votes, marks, strict=True):
        if answer is not None and truth[answer] != bool(mark):
            raise ValueError(f"the answer {answer!r} is called both right and wrong for one question")
    if not truth:
        return 0.0
    tally = [sum(vote == answer for vote in votes) for answer in truth]
    unread = len(votes) - sum(tally)
    if k == len(votes):
        drawn = np.array([tally])
    else:
        drawn = rng.multivariate_hypergeometric([*tally, unread], k, size=rounds)[:, :-1]
    most = drawn.max(axis=1, keepdims=True)
    winners = (drawn == most) & (most > 0)
    right = winners @ np.array(list(truth.values()), float)
    return float(np.mean(right / np.maximum(1, winners.sum(axis=1))))


def _check_k(k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
