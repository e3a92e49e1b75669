"""Items with a known truth, and what is measured of the judgments on them; no model is trained here."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from whetstone.core.errors import ConfigError, TaskError, Unsupported
from whetstone.core.types import Example, Form, Generation, Message, form, user
from whetstone.loops._judging import Judged, Judgment, gain, measure
from whetstone.loops._judging_items import (
    error_kind,
    from_row,
    graded,
    pairwise,
    pointwise,
    read_grade,
    responses,
    right_steps,
)
from whetstone.models.grit.dialect import GritDialect
from whetstone.signals import forms
from whetstone.tasks.load import load_task

QUESTION = "63c-7e-3b+0"


@pytest.fixture
def found():
    return responses("planted", None, "", load_task("ledger:levels=3-6"), "train", n=60)


def test_planted_answers_carry_the_tasks_own_labels(found):
    task = load_task("ledger:levels=3-6")
    assert Counter(r.right for r in found) == {True: 60, False: 60}
    assert all(task.process(r.example, r.text).value == r.right for r in found)
    assert all((r.grade == 1) == r.right == (r.kind == "right") for r in found)
    assert len({r.kind for r in found}) > 4


@pytest.mark.parametrize(
    ("solution", "steps", "kind"),
    [
        ("c-7=56e-3=54b+0=54", 1, "calculation"),
        ("c-7=56e-3=53", 2, "dropped"),
        ("c-7=56e-5=51b+0=51", 1, "amount"),
        ("c-7=56e+3=59b+0=59", 1, "sign"),
        ("c-7=56c-7=49e-3=46b+0=46", 1, "repeat"),
        ("e-7=56c-3=53b+0=53", 0, "binding"),
        ("c-7=56m-3=53b+0=53", 1, "foreign"),
    ],
)
def test_kinds_of_errors_by_hand(solution, steps, kind):
    assert right_steps(QUESTION, solution) == steps
    assert error_kind(QUESTION, solution, steps) == kind


def test_pairs_are_shown_in_both_orders_with_the_better_one_named(found):
    items = pairwise(found)
    assert Counter(item.truth for item in items) == {"A": 60, "B": 60}
    assert all(len({i.answers for i in items if i.pair == name}) == 2 for name in {i.pair for i in items})


def test_grades_follow_their_criterion(found):
    items = graded(found)
    assert {i.truth for i in items if i.kind == "strict"} == {"1", "5"}
    assert {i.truth for i in items if i.kind == "progress"} == {"1", "2", "3", "4", "5"}
    assert [read_grade(text).value for text in ("c-7-7=5566;!2", "Fine.\nScore: 4")] == ["2", "4"]
    assert read_grade("c-7-7=5566;N") is None


def test_rows_of_a_file_are_graded_by_their_columns():
    example = Example("q", user("?"), meta={"candidates": ["x", "y", "z"], "grades": [2, 4, 1]})
    rows = from_row(None, example, Random(0))
    assert [(r.text, r.right, r.grade) for r in rows] == [("x", False, 0.5), ("y", True, 1.0), ("z", False, 0.25)]
    with pytest.raises(TaskError, match="one grade a candidate"):
        from_row(None, Example("q", user("?")), Random(0))
    with pytest.raises(ConfigError, match="unknown source"):
        responses("guessed", None, "", load_task("strings"), "train", n=1)


def test_an_unreadable_judgment_is_wrong_and_counted(found, said):
    items = pointwise(found)
    metrics = measure([said(item, None if i % 4 == 0 else item.truth) for i, item in enumerate(items)])
    assert metrics["accuracy"].estimate == 0.75
    assert metrics["unreadable"].estimate == 0.25


def test_a_judge_that_always_names_one_place_is_half_right_and_never_consistent(found, said):
    metrics = measure([said(item, "B") for item in pairwise(found)])
    assert metrics["accuracy"].estimate == 0.5
    assert metrics["swap_consistency"].estimate == metrics["both_orders"].estimate == 0


def test_the_majority_counts_and_scores_are_means():
    item = pointwise(responses("planted", None, "", load_task("ledger:levels=3-3"), "train", n=1))[0]
    row = Judged(item, tuple(Judgment(Generation(v), v) for v in "NYY"))
    assert (row.verdict, row.right, row.score) == ("Y", 1.0, pytest.approx(2 / 3))


def test_a_gain_is_paired_by_item(found, said):
    items = pointwise(found)
    before = [said(item, "N") for item in items]
    after = [said(item, item.truth) for item in items]
    assert gain("gain", after, before).estimate == 0.5
    assert gain("gain", after, before).p < 0.001
    assert gain("gain", before, before).estimate == 0


def test_grit_reads_the_forms_of_judging_and_goes_on_with_a_reply():
    read = GritDialect().encode
    ledger = form("ledger", "{ledger}", ledger=QUESTION)

    def graded_by(criterion: str) -> tuple[Message, ...]:
        return user(Form("score", "", (("question", ledger), ("answer", "c-7=56"), ("criterion", criterion))))

    assert read(graded_by("progress")) == f"Q{QUESTION}?c-7=56#C"
    with pytest.raises(Unsupported, match="progress or strict"):
        read(graded_by("charm"))
    with pytest.raises(Unsupported, match="not taught"):
        read(forms.score(ledger, "c-7=56"))
    assert read((*forms.critique(ledger, "c-7=56"), Message("assistant", ("c;NC",)))) == f"Q{QUESTION}?c-7=56Cc;NC"
    with pytest.raises(Unsupported, match="beginning of one reply"):
        read((*user("a"), *user("b")))
