"""Grading by a rubric."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.signals.rubric import rubric

RUBRIC = {"criteria": "Does it name colours?", "anchors": ["none", "one", "two", "three", "more"]}


def judge(toy, seen=None):
    """Counts the colours that the reference names too; without a reference it gives everything a 3."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "solve":
            return toy.said("red green")
        if seen is not None:
            seen.append(fields | {"prompt": request.prompt[0].text})
        known = [colour for colour in ("red", "green", "blue") if colour in fields["reference"]]
        grade = 1 + sum(colour in fields["answer"] for colour in known) if known else 3
        return toy.said(f"I counted. Score: {grade}")

    return model


def test_grades_by_the_anchors_and_the_reference(toy) -> None:
    seen: list[dict[str, str]] = []
    example = replace(toy.question(1), meta={"rubric": RUBRIC, "model_answer": "red green blue"})
    texts = toy.candidates("red", "red blue", "grey")
    signals = toy.run(rubric(toy.task, example, texts), judge(toy, seen))
    assert [s.value for s in signals] == [2, 3, 1]
    assert signals[0].provenance["feedback"] == ["I counted. Score: 2"]
    assert all("Score 5: more" in fields["prompt"] and RUBRIC["criteria"] in fields["prompt"] for fields in seen)
    blind = toy.run(rubric(toy.task, example, texts, reference="none"), judge(toy))
    assert [s.value for s in blind] == [3, 3, 3], "nothing to compare with, nothing found"


def test_the_judge_may_write_the_reference(toy) -> None:
    signals = toy.run(
        rubric(toy.task, toy.question(1), toy.candidates("green", "red green"), reference="written"), judge(toy)
    )
    assert [s.value for s in signals] == [2, 3]


@pytest.mark.parametrize(("style", "first"), [("explanation_first", False), ("score_first", True)])
def test_styles_say_where_the_score_stands(toy, style, first) -> None:
    (request,) = next(rubric(toy.task, toy.question(1), toy.candidates("a"), style=style))
    assert ("Begin with one line" in request.prompt[0].text) == first


@pytest.mark.parametrize("text", ["Feedback: fine. [RESULT] 4", "Score: 4", "Score: 9\nScore: 4"])
def test_reads_the_last_grade(toy, text) -> None:
    (signal,) = toy.run(rubric(toy.task, toy.question(1), toy.candidates("a")), lambda request: toy.said(text))
    assert signal.value == 4
