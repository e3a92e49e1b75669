"""Peer review: an exam picks the reviewers, and their word counts as much as they did well in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._peers import vote, weighted, win_rates
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.grades import Grades, weighted_mean
from whetstone.ranking.ranking import Ranking

Floats = NDArray[np.float64]
WEIGHTINGS = ("uniform", "log", "exp", "poly")


@dataclass(frozen=True, eq=False)
class Exam:
    """What candidate reviewers answered on items with known labels.

    Attributes:
        judges: the candidates.
        answers: [judges, items] NaN where a candidate gave no readable answer: it counts as wrong.
        labels: [items].
        repeated: [judges, items] the same items asked again (another order or wording), for the test of consistency.
        pairwise: answers are 1, 0 (tie) and -1, and a tie on one side alone is half right; else they are grades.
    """

    judges: tuple[str, ...]
    answers: Floats
    labels: Floats
    repeated: Floats | None = None
    pairwise: bool = True

    def __post_init__(self) -> None:
        shape = (len(self.judges), len(self.labels))
        if self.answers.shape != shape or 0 in shape:
            raise TaskError(f"answers have the shape {self.answers.shape}; judges and labels make it {shape}")
        if self.repeated is not None and self.repeated.shape != shape:
            raise TaskError(f"repeated answers have the shape {self.repeated.shape}, not {shape}")
        if np.isnan(self.labels).any():
            raise TaskError(f"item {int(np.argmax(np.isnan(self.labels))) + 1} of the exam has no label")

    @property
    def accuracy(self) -> Floats:
        """[judges] mean agreement with the labels."""
        return _agreement(self.answers, self.labels[None], self.pairwise)

    @property
    def consistency(self) -> Floats | None:
        """[judges] mean agreement of a candidate with itself."""
        return None if self.repeated is None else _agreement(self.answers, self.repeated, self.pairwise)


@dataclass(frozen=True, eq=False)
class PeerReview:
    """The ranking, and who made it.

    Attributes:
        ranking: by win rate over items, or by mean grade.
        judges: the candidates; `exam` [judges] their exam scores, `passed` who reviews, `weights` sum to 1.
    """

    ranking: Ranking
    judges: tuple[str, ...]
    exam: Floats
    passed: NDArray[np.bool_]
    weights: Floats


@method(
    "ranking",
    papers=("PRE: A Peer Review Based Large Language Model Evaluator",),
    checked="tests/ranking/test_peer_review.py::test_bad_reviewer_is_excluded_and_planted_order_recovered",
)
def peer_review(
    reviews: Comparisons | Grades,
    exam: Exam,
    *,
    pass_at: float = 0.6,
    weighting: str = "log",
    alpha: float = 1.0,
    gold_share: float = 0.5,
) -> PeerReview:
    """Rank systems by the reviewers that pass an exam, weighted by their exam scores.

    Args:
        reviews: comparisons with their judge (group is the item), or grades; every judge must be in the exam.
        exam: answers of the candidates on labelled items.
        pass_at: least exam accuracy, and least consistency where items were asked twice.
        weighting: of exam score p: "uniform", "log" (log odds of p), "exp" (exp(alpha p)), "poly" (p^alpha).
        alpha: see `weighting`.
        gold_share: p is this share of accuracy and the rest of consistency, where items were asked twice.

    Raises:
        ConfigError: an unknown weighting, or a pass mark of at most 0.5 with "log", which would give weights below 0.
        TaskError: nobody passes, or a judge that did not sit the exam.

    Source: "PRE: A Peer Review Based Large Language Model Evaluator".
    """
    if weighting not in WEIGHTINGS:
        raise ConfigError(f"weighting is {weighting!r}; it can be {', '.join(WEIGHTINGS)}")
    if not 0 < pass_at <= 1 or (weighting == "log" and pass_at <= 0.5):
        raise ConfigError(f"pass_at is {pass_at}; it must be above 0 (with 'log' above 0.5) and at most 1")
    if strangers := set(reviews.judges) - set(exam.judges):
        raise TaskError(f"{sorted(strangers)[0]!r} reviews but did not sit the exam")
    accuracy, consistency = exam.accuracy, exam.consistency
    passed, p = accuracy >= pass_at, accuracy
    if consistency is not None:
        passed, p = passed & (consistency >= pass_at), gold_share * accuracy + (1 - gold_share) * consistency
    weights = np.where(passed, _weigh(p, weighting, alpha, len(exam.labels)), 0.0)
    here = np.array([judge in reviews.judges for judge in exam.judges])
    if not (passed & here).any():
        best = f"{accuracy[here].max():.2f}" if here.any() else "unknown"
        raise TaskError(f"no reviewer passes the exam at {pass_at}; the best accuracy is {best}")
    weights = np.where(here, weights, 0.0) / weights[here].sum()
    heard = weights[[exam.judges.index(judge) for judge in reviews.judges]]
    if isinstance(reviews, Grades):
        scores, n = np.nanmean(weighted_mean(reviews.scores, heard), axis=1), int((~np.isnan(reviews.scores)).sum())
    else:
        scores, n = win_rates(vote(weighted(reviews, heard))), len(reviews)
    if np.isnan(scores).any():
        raise TaskError(f"{reviews.names[int(np.argmax(np.isnan(scores)))]!r} has no review by a qualified reviewer")
    sat = np.flatnonzero(here).tolist()
    reviewers: Json = {exam.judges[i]: {"exam": float(p[i]), "weight": float(weights[i])} for i in sat}
    said = (f"{exam.judges[i]} {p[i]:.2f} (weight {weights[i]:.2f})" for i in sat if passed[i])
    out = [f"{exam.judges[i]} {p[i]:.2f}" for i in sat if not passed[i]]
    notes = (f"exam: {', '.join(said)}", *([f"not heard, since below {pass_at:g}: {', '.join(out)}"] if out else []))
    made: dict[str, Json] = {"weighting": weighting, "pass_at": pass_at, "alpha": alpha, "reviewers": reviewers}
    ranking = Ranking("peer_review", reviews.names, scores, n=n, settings=made, notes=notes)
    return PeerReview(ranking, exam.judges, p, passed, weights)


def _weigh(p: Floats, weighting: str, alpha: float, items: int) -> Floats:
    if weighting == "log":
        # A perfect score, or one of 0, is known no better than to half an item.
        p = np.clip(p, 0.5 / items, 1 - 0.5 / items)
        return np.asarray(np.log(p) - np.log1p(-p))
    return np.asarray({"uniform": np.ones(len(p)), "exp": np.exp(alpha * p), "poly": p**alpha}[weighting])


def _agreement(answers: Floats, truth: Floats, pairwise: bool) -> Floats:
    same = (np.sign(answers) == np.sign(truth)) if pairwise else answers == truth
    half = ((answers == 0) | (truth == 0)) & ~same & pairwise & ~np.isnan(answers) & ~np.isnan(truth)
    return np.asarray((same + 0.5 * half).mean(axis=1))
