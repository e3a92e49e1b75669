"""Whoever judges an answer about an image sees the image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.core.registry import load
from whetstone.core.types import Media, Message, Score

IMAGE = Media("image", "image/png", b"png")
SIGNALS = ("p_true", "p_ik", "verbalized", "follow_up", "pointwise", "rubric", "checklist")
JUDGES = ("pairwise_judge", "warned_judge", "balanced_judge", "five_way_judge", "debate", "adaptive_judge")


@pytest.mark.parametrize("name", SIGNALS + JUDGES)
def test_the_first_questions_hold_the_image(toy, name) -> None:
    example = replace(toy.question(1), prompt=(Message("user", ("What is this?", IMAGE)),))
    pair = toy.candidates("a cat", "a dog")
    method = load(name)
    batch = next(method(toy.task, example, pair) if name in SIGNALS else method(toy.task, example, *pair))
    assert batch
    assert all(IMAGE in request.prompt[0].parts for request in batch)


def test_a_detector_of_bias_and_a_judge_that_decides_again_see_it_too(toy) -> None:
    example = replace(toy.question(1), prompt=(Message("user", ("What is this?", IMAGE)),))
    seen = []

    def answer(request):
        assert not isinstance(request, Score)
        seen.append((toy.asked(request)[0], IMAGE in request.prompt[0].parts))
        return toy.said("Verdict: Y" if seen[-1][0] == "detect_bias" else "Verdict: A")

    toy.run(load("warned_judge")(toy.task, example, *toy.candidates("a cat", "a dog"), rounds=1), answer)
    assert set(seen) == {("compare", True), ("detect_bias", True), ("compare_warned", True)}
