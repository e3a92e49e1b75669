"""Points by item."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.core.types import Media, Message
from whetstone.signals.point_rubric import point_rubric

POINTS = {"빨간 공을 말하는가? (red)": 2, "Nennt sie die Zahl? (7)": 1, "Is the tone friendly? (please)": 1}


def judge(toy):
    """Awards all points of a criterion when the answer has the word in its brackets."""

    def model(request):
        fields = toy.asked(request)[1]
        word = fields["criterion"].rpartition("(")[2].rstrip(")")
        return toy.said(f"Score: {fields['points'] if word in fields['answer'] else 0}")

    return model


def test_awards_the_planted_points_in_any_language(toy) -> None:
    example = replace(toy.question(1), meta={"points": POINTS})
    texts = toy.candidates("red 7 please", "red", "7 please", "nothing")
    signals = toy.run(point_rubric(toy.task, example, texts), judge(toy))
    assert [s.value for s in signals] == [1, 0.5, 0.5, 0]
    assert list(signals[1].provenance["awarded"].values()) == [2, 0, 0]


def test_repeated_gradings_have_a_standard_error(toy) -> None:
    def model(request):
        return toy.said("hm" if toy.luck(request).random() < 0.2 else f"Score: {toy.luck(request).randrange(2)}")

    flow = point_rubric(toy.task, toy.question(1), toy.candidates("a"), samples=20, temperature=1.0, items="x=1|y=1")
    (signal,) = toy.run(flow, model)
    assert signal.stderr > 0
    assert signal.n + signal.provenance["unreadable"] == 20


def test_the_judge_sees_the_image(toy) -> None:
    image = Media("image", "image/png", b"png")
    example = replace(toy.question(1), prompt=(Message("user", ("What is this?", image)),))
    batch = next(point_rubric(toy.task, example, toy.candidates("a"), items="x=1"))
    assert batch[0].prompt[0].parts[1:] == (image,)


@pytest.mark.parametrize("items", ["", "no points", "x=0", "x=1|y=many"])
def test_a_rubric_without_points_abstains(toy, items) -> None:
    (signal,) = toy.run(point_rubric(toy.task, toy.question(1), toy.candidates("a"), items=items))
    assert "whole points" in signal.abstained
