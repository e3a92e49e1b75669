"""Three graders of generated students' answers."""

from __future__ import annotations

import re
from random import Random

import pytest

from whetstone.audits.answer_grading import GRADE
from whetstone.audits.blind_feedback import blind_sheet, ratings_of
from whetstone.audits.graded_answers import errors
from whetstone.core.errors import TaskError
from whetstone.core.flow import drive
from whetstone.core.types import Example, Generation, Sampling, Signal, form, user
from whetstone.loops._graders import answers_of, most_similar
from whetstone.loops.answer_graders import answer_graders
from whetstone.models.scripted import ScriptedModel
from whetstone.tasks.load import load_task

PARTS = ("sum", "unit", "sketch", "check")
WORDS = (*PARTS, *re.findall(r"\w+|[^\w\s]", GRADE), *"01234+-", "solve", "blot", "scrawl", "doodle")


class Answers:
    """An answer earns a point for each part that it has; the teacher names them all. With `dice` grades are drawn."""

    name, sampling = "answers", Sampling(max_tokens=16)

    def __init__(self, *, dice: bool = False) -> None:
        self.dice = dice

    def examples(self, split, *, n=None, seed=0):
        for i in range(n or 300):
            rng = Random(f"{split}/{i}")
            texts, grades, feedback = [], [], []
            for _ in range(3):
                has = [part for part in PARTS if rng.random() < 0.5]
                words = [*has, *rng.sample(WORDS[-3:], 2)]
                rng.shuffle(words)
                texts.append(" ".join(words))
                grades.append(rng.randrange(5) if self.dice else len(has))
                feedback.append(" ".join(f"{part} {'+' if part in has else '-'}" for part in PARTS))
            meta = {"candidates": texts, "grades": grades, "feedback": feedback}
            yield Example(f"{split}-{i}", user(form("solve", "{question}", question="solve")), meta=meta)

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


GRADERS = ("similar", "fine_tuned", "zero_shot")


def said_by(found, grader):
    return found[f"said/{grader}"].detail["feedback"]


def worth(answer: str, feedback: str) -> int:
    """1, and a point for each part that the feedback is right about."""
    said = dict(zip(*[iter(feedback.split())] * 2, strict=False))
    return 1 + sum((part in answer.split()) == (said.get(part) == "+") for part in PARTS if part in said)


def quality(answer, feedback: str) -> int:
    return worth(answer.text, feedback)


def runner_of(model):
    """The rater likes feedback that is true of the answer."""

    def rate(request):
        fields = dict(request.prompt[-1].parts[0].fields)
        return Generation(f"Score: {worth(str(fields['answer']), str(fields['feedback']))}")

    return lambda name, flows: drive(flows, {"policy": model, "rater": ScriptedModel(rate)})


def test_three_graders_of_generated_answers_are_told_apart(reader) -> None:
    model = reader(WORDS)
    settings = {"answers": 3500, "monitor": 30, "max_tokens": 16, "rater": "rater"}
    (only,) = answer_graders(model, Answers(), runner_of(model), **settings)
    found = only.metrics
    assert found["kappa/fine_tuned"].estimate > 0.85
    assert found["rmse/fine_tuned"].estimate < found["rmse/similar"].estimate
    assert found["kappa/similar"].interval is not None
    assert found["kappa/zero_shot"].verdict, "the untrained model gives no grades"
    assert found["said/zero_shot"].estimate == 0
    held = answers_of(list(Answers().examples("dev", n=30)))
    true = {name: [quality(a, t) for a, t in zip(held, said_by(found, name), strict=True)] for name in GRADERS[:2]}
    difference = sum(true["similar"]) / len(held) - sum(true["fine_tuned"]) / len(held)
    assert found["feedback/similar - fine_tuned"].estimate == pytest.approx(difference), "the rater is read rightly"
    assert min(map(max, true.values())) == 5


def test_dice_cannot_be_graded(reader) -> None:
    model = reader(WORDS)
    task = Answers(dice=True)
    (only,) = answer_graders(model, task, runner_of(model), answers=900, monitor=30, max_tokens=16)
    for grader in ("fine_tuned", "similar"):
        kappa = only.metrics[f"kappa/{grader}"]
        assert kappa.interval is None or kappa.interval[0] < 0.1


def test_feedback_is_rated_blind() -> None:
    answers = answers_of(list(Answers().examples("dev", n=4)))
    feedback = {"one": [f"good {i}" for i in range(12)], "two": [f"bad {i}" if i else "good 0" for i in range(12)]}
    sheet = blind_sheet(answers, feedback)
    assert len(sheet) == 23, "equal feedback on one answer is one row"
    assert set(sheet[0]) == {"id", "question", "answer", "feedback"}
    assert not any(name in str(row) for row in sheet for name in ("'one'", "'two'"))
    assert [row["feedback"] for row in sheet] != [*feedback["one"], *feedback["two"][1:]], "in random order"
    people = [{**row, "rating": str(4 + k) if "good" in row["feedback"] else 1} for k in (0, 1) for row in sheet]
    ratings = ratings_of([*people, {"id": "x", "rating": ""}], answers, feedback)
    assert ratings["one"] == [4.5] * 12
    assert ratings["two"] == [4.5] + [1.0] * 11
    grades = {name: [float(a.grade) for a in answers] for name in feedback}
    (difference,) = [f for f in errors(answers, grades, ratings, high=4) if f.name == "feedback/one - two"]
    assert difference.estimate == pytest.approx(3.5 * 11 / 12)
    with pytest.raises(TaskError, match="belong to no feedback"):
        ratings_of([{"id": "x", "rating": 1}], answers, feedback)
    with pytest.raises(TaskError, match="row 1: rating is 'good'"):
        ratings_of([{**sheet[0], "rating": "good"}], answers, feedback)


def test_parts_by_hand() -> None:
    import numpy as np

    assert most_similar(np.array([[0.0, 1.1], [4.0, 0.0]]), np.array([[5.0, 0.0], [0.0, 1.0]])) == [1, 0]
    with pytest.raises(TaskError, match="one grade a candidate"):
        answers_of([Example("e", user("x"), meta={"candidates": ["a"], "grades": []})])
    for grade in ("good", "nan", None):
        with pytest.raises(TaskError, match=r"e: the grade .* is not a number"):
            answers_of([Example("e", user("x"), meta={"candidates": ["a"], "grades": [grade]})])
    with pytest.raises(TaskError, match="`feedback` needs one text a candidate"):
        answers_of([Example("e", user("x"), meta={"candidates": ["a", "b"], "grades": [1, 2], "feedback": ["x"]})])


def test_a_task_without_graded_answers_is_refused_though_it_never_ends(reader, drive_on) -> None:
    model = reader(WORDS)
    with pytest.raises(TaskError, match="one grade a candidate"):
        next(answer_graders(model, load_task("ledger:levels=2"), drive_on(model)))
