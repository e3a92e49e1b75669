"""A judge of any rubric: a rubric names letters, an answer is as good as it has them."""

from __future__ import annotations

import re
from random import Random

import pytest

from whetstone.core.errors import TaskError
from whetstone.core.flow import drive
from whetstone.core.types import Candidate, Example, Form, Generation, Sampling, Signal, form, user
from whetstone.loops._rubrics import graded_lessons, held_apart, marked, rubric_name, synthesised
from whetstone.loops.rubric_judge import rubric_judge
from whetstone.models.scripted import ScriptedModel
from whetstone.signals.rubric import GRADE, ORDERS, rubric
from whetstone.tasks.load import load_task

LETTERS = "bcdfghjklmnp"
WORDS = (*LETTERS, *re.findall(r"\w+|[^\w\s]", GRADE + ORDERS["explanation_first"]), *"12345+-", "has", "Say")


def told(wanted: list[str], has: list[str]) -> tuple[str, str]:
    """The true grade of an answer and the feedback that leads to it."""
    return str(1 + sum(letter in has for letter in wanted)), " ".join(
        f"{letter} {'+' if letter in has else '-'}" for letter in wanted
    )


class Rubrics:
    """Every question has a rubric of four letters; with `dice` the grades are drawn."""

    name, sampling = "rubrics", Sampling(max_tokens=16)

    def __init__(self, n: int, *, dice: bool = False, graded: bool = True) -> None:
        self.n, self.dice, self.graded = n, dice, graded

    def examples(self, split, *, n=None, seed=0):
        for i in range(self.n if split == "train" else 0):
            rng = Random(i)
            wanted = rng.sample(LETTERS, 4)
            meta = {"rubric": {"criteria": "has " + " ".join(wanted), "anchors": []}}
            if self.graded:
                answers = [rng.sample(LETTERS, 6) for _ in range(8)]
                marks = [told(wanted, answer) for answer in answers]
                meta["candidates"] = [" ".join(answer) for answer in answers]
                meta["grades"] = [rng.choice("12345") if self.dice else grade for grade, _ in marks]
                meta["feedback"] = [feedback for _, feedback in marks]
            yield Example(f"q{i}", user(form("solve", "{question}", question="Say")), meta=meta)

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


def test_the_correlation_rises_on_rubrics_that_were_held_out(reader, drive_on) -> None:
    model = reader(WORDS)
    rounds = list(rubric_judge(model, Rubrics(400), drive_on(model), rounds=2, lessons=3000, monitor=80, max_tokens=16))
    last = rounds[-1].metrics
    assert rounds[0].metrics["before/unreadable"].estimate > 0.9, "the untrained one gives no grades"
    assert last["rise"].interval[0] > 0.5
    assert last["spearman"].estimate > 0.8
    assert last["pearson"].estimate > 0.8
    assert last["gain"].interval[0] > 0
    candidates = [Candidate(str(i), Generation(text)) for i, text in enumerate(("b c d f g h", "j k l m n p"))]
    example = Example(
        "e", user(form("solve", "{question}", question="Say")), meta={"rubric": {"criteria": "has b c d f"}}
    )
    done = drive({"x": rubric(Rubrics(1), example, candidates, max_tokens=16)}, {"policy": model})
    good, bad = done.results["x"]
    assert good.value > bad.value, "the trained judge serves the signal"


def test_dice_teach_nothing(reader, drive_on) -> None:
    model = reader(WORDS)
    task = Rubrics(100, dice=True)
    (only,) = rubric_judge(model, task, drive_on(model), rounds=1, lessons=1200, monitor=80, max_tokens=16)
    assert only.metrics["rise"].interval[0] < 0.1


def teacher(request):
    """Invents an answer for any grade, as a large model would."""
    part = request.prompt[-1].parts[0]
    assert isinstance(part, Form)
    wanted = part["criteria"].split()[1:]
    others = [letter for letter in LETTERS if letter not in wanted]
    if part.name == "invent":
        return Generation(f"Instruction: Say\nAnswer: {' '.join(wanted)}")
    has = [*wanted[: int(part["grade"]) - 1], *others][:6]
    return Generation(f"Answer: {' '.join(has)}\nFeedback: {told(wanted, has)[1]}")


def test_a_teacher_writes_graded_answers_for_every_rubric(reader) -> None:
    model, task = reader(WORDS), Rubrics(60, graded=False)

    def runner(name, flows):
        return drive(flows, {"policy": model, "judge": model, "teacher": ScriptedModel(teacher)})

    with pytest.raises(TaskError, match="synthesise"):
        next(rubric_judge(model, task, runner))
    only = next(rubric_judge(model, task, runner, synthesise=1, teacher="teacher", lessons=200, max_tokens=16))
    assert only.metrics["lessons"].estimate == 5 * len({rubric_name(example) for example in task.examples("train")})
    assert only.metrics["accuracy"].n >= 25
    (example,) = Rubrics(1, graded=False).examples("train")
    flow = synthesised(example, number=0, role="judge", max_tokens=9)
    lessons = drive({"x": flow}, {"policy": ScriptedModel(teacher)}).results["x"]
    assert [lesson.item.truth for lesson in lessons] == list("12345")
    assert all(lesson.item.read(lesson.reply).value == lesson.item.truth for lesson in lessons)
    assert "Reference answer (grade 5)" in lessons[0].item.prompt[0].text


def test_parts_by_hand() -> None:
    assert marked("x Instruction: a b\nAnswer: c", ("Instruction", "Answer")) == {"Instruction": "a b", "Answer": "c"}
    assert marked("Instruction: a", ("Instruction", "Answer")) is None
    names = [rubric_name(example) for example in Rubrics(400).examples("train")]
    assert 0.18 < sum(held_apart(name, 0.25) for name in names) / len(names) < 0.32
    bare = Example("e", user("x"), meta={"rubric": {"criteria": "c"}, "candidates": ["a"], "grades": ["9"]})
    with pytest.raises(TaskError, match="whole number from 1 to 5"):
        graded_lessons(bare)
    with pytest.raises(TaskError, match="rubric"):
        rubric_name(Example("e", user("x")))


def test_rows_that_cannot_be_graded_are_named(reader, drive_on) -> None:
    model = reader(WORDS)
    with pytest.raises(TaskError, match="needs the column `rubric`"):
        next(rubric_judge(model, load_task("ledger:levels=2"), drive_on(model)))
    meta = {"rubric": {"criteria": "c"}, "candidates": ["a", "b"], "grades": ["4"]}
    with pytest.raises(TaskError, match=r"e: .*one grade a candidate"):
        graded_lessons(Example("e", user("x"), meta=meta))
    (lesson,) = graded_lessons(Example("e", user("x"), meta={**meta, "candidates": ["a"], "grades": [4.0]}))
    assert lesson.item.truth == "4"
