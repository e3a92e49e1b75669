"""Three graders."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from whetstone.audits.answer_grading import answer_grading
from whetstone.audits.graded_answers import answers_of, nearest, tuned
from whetstone.core.errors import TaskError
from whetstone.core.types import Embed, Embedding

PARTS = ("sum", "unit", "sketch", "check")


def cases_of(toy, n):
    """A student's answer earns a point for each part that it has; the teacher's feedback names what is missing."""
    out = []
    for i in range(n):
        rng = Random(i)
        texts, grades, feedback = [], [], []
        for j in range(3):
            has = [part for part in PARTS if rng.random() < 0.5]
            texts.append(f"{i}.{j} " + " ".join(has))
            grades.append(len(has))
            feedback.append("Missing: " + ", ".join(part for part in PARTS if part not in has))
        case = toy.case(i, tuple(texts), (None,) * 3)
        out.append(replace(case, example=replace(case.example, meta={"grades": grades, "feedback": feedback})))
    return out


def model(toy, *, noise: int = 0, seeing: bool = True):
    """Sees the parts in its vectors; its grades are off by up to `noise`. It rates feedback that names parts."""

    def answer(request):
        name, fields = toy.asked(request)
        luck = toy.luck(request)
        has = [part in fields["answer"] for part in PARTS]
        if isinstance(request, Embed):
            return Embedding((*(float(h) if seeing else luck.random() for h in has), luck.random() / 10))
        if name == "rate_feedback":
            return toy.said(f"Score: {5 if 'Missing' in fields['feedback'] else 2}")
        grade = min(4, max(0, sum(has) + luck.randrange(-noise, noise + 1)))
        return toy.said(f"Keep going.\nScore: {grade}")

    return answer


def audit(toy, answer, n=40):
    return {f.name: f for f in toy.run(answer_grading(toy.task, cases_of(toy, n)), answer)}


def test_finds_the_planted_errors_of_three_graders(toy) -> None:
    found = audit(toy, model(toy, noise=1))
    assert found["rmse/zero_shot"].estimate == pytest.approx((2 / 3) ** 0.5, abs=0.12)
    assert found["kappa/similar"].estimate > 0.95
    assert found["rmse/tuned"].estimate < 0.1
    assert found["feedback/zero_shot - similar"].estimate == -3, "teachers' words, taken over, are better"
    assert found["feedback/zero_shot - similar"].p < 0.001
    exact = audit(toy, model(toy))
    assert (exact["kappa/zero_shot"].estimate, exact["rmse/zero_shot"].estimate) == (1, 0)
    blind = audit(toy, model(toy, seeing=False))
    for grader in ("similar", "tuned"):
        assert blind[f"kappa/{grader}"].interval[0] < 0.1, "vectors that tell nothing grade nothing"


def test_without_embeddings_the_judge_is_left(toy) -> None:
    def texts_only(request):
        return Embedding((1.0, 1.0)) if isinstance(request, Embed) else model(toy)(request)

    found = audit(toy, texts_only, 10)
    assert found["kappa/zero_shot"].estimate == 1
    assert found["feedback/zero_shot - similar"].verdict
    assert found["kappa/similar"].verdict == found["rmse/tuned"].verdict == "not measured: no readable grade"


def test_nearest_and_tuned_by_hand() -> None:
    vectors = np.array([[0.0, 1.0], [0.0, 1.1], [5.0, 0.0], [0.0, 1.0]])
    assert nearest(vectors, ["a", "b", "c", "a"]) == [1, 0, 0, 1], "not the same text"
    assert nearest(vectors[:1], ["a"]) == [None]
    line = np.arange(10.0)[:, None]
    predicted = tuned(line, list(range(10)), [str(i) for i in range(10)], strength=1e-9)
    assert predicted == pytest.approx(range(10), abs=1e-6)
    assert np.isnan(tuned(line[:2], [0, 1], ["x", "x"])).all(), "one question cannot be held out"


@pytest.mark.parametrize("grade", [5, -1, float("nan")])
def test_a_grade_off_the_scale_is_told(toy, grade) -> None:
    (case,) = cases_of(toy, 1)
    case = replace(case, example=replace(case.example, meta={"grades": [grade, 1, 2]}))
    with pytest.raises(TaskError, match=r"q0: grade .* is not from 0 to 4"):
        answers_of([case], 4)
