"""Peer review with an exam: who passes, what its word counts, and the order that comes out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.grades import Grades, weighted_mean
from whetstone.ranking.peer_review import Exam, peer_review

JUDGES = ("sharp", "fair", "guesser", "contrary")
RIGHT = (0.95, 0.75, 0.5, 0.1)
SYSTEMS = ("w", "x", "y", "z")


def exam(items: int = 200, seed: int = 0, *, repeat: float | None = None) -> Exam:
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1.0, 1.0], items)
    answers = np.stack([np.where(rng.random(items) < p, labels, -labels) for p in RIGHT])
    again = None if repeat is None else np.where(rng.random(answers.shape) < repeat, answers, -answers)
    return Exam(JUDGES, answers, labels, again)


def reviews(items: int = 60, seed: int = 1) -> Comparisons:
    """Systems w > x > y > z; each judge is right as often as in the exam."""
    rng = np.random.default_rng(seed)
    rows = [(a, b, j, i) for i in range(items) for a in range(4) for b in range(4) for j in range(4) if a != b]
    left, right, judge, group = (np.array(column) for column in zip(*rows, strict=True))
    truth = np.where(left < right, 1, -1)
    said = np.where(rng.random(len(rows)) < np.array(RIGHT)[judge], truth, -truth)
    return Comparisons(SYSTEMS, left, right, said.astype(np.int8), group=group, judge=judge, judges=JUDGES)


@pytest.mark.parametrize("weighting", ["uniform", "log", "exp", "poly"])
def test_bad_reviewer_is_excluded_and_planted_order_recovered(weighting: str) -> None:
    found = peer_review(reviews(), exam(), weighting=weighting)
    assert found.passed.tolist() == [True, True, False, False]
    assert found.weights[2:].tolist() == [0, 0]
    assert found.weights.sum() == pytest.approx(1)
    assert [SYSTEMS[i] for i in found.ranking.order] == list(SYSTEMS)
    assert re.fullmatch(r"not heard, since below 0.6: guesser 0.\d\d, contrary 0.\d\d", found.ranking.notes[-1])
    if weighting != "uniform":
        assert found.weights[0] > found.weights[1]


def test_without_the_exam_the_contrary_reviewer_would_have_had_its_way() -> None:
    rows = reviews()
    assert rows.judge is not None
    contrary = rows.take(rows.judge == 3)
    lenient = Exam(JUDGES, -exam().answers, exam().labels)
    assert [SYSTEMS[i] for i in peer_review(contrary, lenient).ranking.order] == list(reversed(SYSTEMS))
    with pytest.raises(TaskError, match=r"no reviewer passes the exam at 0\.6; the best accuracy is 0\.00"):
        peer_review(rows, Exam(JUDGES, -np.ones((4, 5)), np.ones(5)))


def test_weights_are_the_published_functions_of_the_exam_score() -> None:
    labels = np.ones(10)
    answers = np.array([[1.0] * 9 + [-1.0], [1.0] * 7 + [-1.0] * 3])
    test = Exam(("a", "b"), answers, labels)
    votes = Comparisons.from_labels(list("ww"), list("xx"), [1, 1], judge=list("ab"))
    np.testing.assert_allclose(test.accuracy, [0.9, 0.7])
    for weighting, raw in (
        ("uniform", [1, 1]),
        ("log", [np.log(9), np.log(7 / 3)]),
        ("exp", [np.exp(2 * 0.9), np.exp(2 * 0.7)]),
        ("poly", [0.9**2, 0.7**2]),
    ):
        found = peer_review(votes, test, weighting=weighting, alpha=2.0)
        np.testing.assert_allclose(found.weights, np.array(raw) / sum(raw), err_msg=weighting)


def test_half_a_point_for_a_tie_on_one_side_and_none_for_an_unreadable_answer() -> None:
    labels = np.array([1.0, 0, -1, 0, 1])
    answers = np.array([[1.0, 0, 1, 1, 0], [np.nan] * 5])
    test = Exam(("a", "b"), answers, labels)
    np.testing.assert_allclose(test.accuracy, [(1 + 1 + 0 + 0.5 + 0.5) / 5, 0])
    graded = Exam(("a", "b"), np.array([[3.0, 4, 5], [3, 4, 1]]), np.array([3.0, 4, 5]), pairwise=False)
    np.testing.assert_allclose(graded.accuracy, [1, 2 / 3])


def test_who_does_not_agree_with_itself_fails() -> None:
    steady, shaky = exam(repeat=1.0), exam(repeat=0.4)
    assert peer_review(reviews(), steady).passed.tolist() == [True, True, False, False]
    np.testing.assert_allclose(peer_review(reviews(), steady).exam, (1 + steady.accuracy) / 2)
    with pytest.raises(TaskError, match="no reviewer passes"):
        peer_review(reviews(), shaky)


def test_both_orders_of_a_pair_are_one_vote() -> None:
    test = Exam(("a",), np.ones((1, 10)), np.ones(10))
    rows = Comparisons.from_labels(list("wx"), list("xw"), [1, 1], group=[0, 0], judge=list("aa"))
    np.testing.assert_allclose(peer_review(rows, test).ranking.scores, 0.5)
    rows = Comparisons.from_labels(list("wx"), list("xw"), [1, -1], group=[0, 0], judge=list("aa"))
    np.testing.assert_allclose(peer_review(rows, test).ranking.scores, [1, 0])


def test_grades_are_averaged_over_reviewers_and_then_tasks() -> None:
    scores = np.array([[[5.0, 1], [3, 3]], [[4, np.nan], [2, 2]]])
    grades = Grades(("p", "q"), ("a", "b"), ("s", "t"), scores)
    test = Exam(("a", "b"), np.array([[1.0] * 9 + [-1], [1.0] * 8 + [-1] * 2]), np.ones(10))
    found = peer_review(grades, test, weighting="poly")
    w = np.array([0.9, 0.8]) / 1.7
    np.testing.assert_allclose(found.ranking.scores, [(w @ [5, 4] + 1) / 2, w @ [3, 2]])
    np.testing.assert_allclose(weighted_mean(scores, np.ones(2))[0], [4.5, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"weighting": "none"}, "uniform, log"), ({"pass_at": 0.5}, "above 0.5"), ({"pass_at": 1.2}, "at most 1")],
)
def test_mistakes_in_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        peer_review(reviews(2), exam(), **options)  # type: ignore[arg-type]


def test_mistakes_in_data_are_named() -> None:
    with pytest.raises(TaskError, match="'contrary' reviews but did not sit"):
        peer_review(reviews(2), Exam(JUDGES[:3], np.ones((3, 2)), np.ones(2)))
    with pytest.raises(TaskError, match="shape"):
        Exam(JUDGES, np.ones((3, 2)), np.ones(2))
    with pytest.raises(TaskError, match="item 2 of the exam has no label"):
        Exam(JUDGES, np.ones((4, 2)), np.array([1.0, np.nan]))
    with pytest.raises(TaskError, match="'q' has no grade"):
        Grades(("p", "q"), ("a",), ("t",), np.array([[[1.0], [np.nan]]]))
    with pytest.raises(TaskError, match="infinite grade on 't'"):
        Grades(("p", "q"), ("a",), ("t",), np.array([[[1.0], [np.inf]]]))
