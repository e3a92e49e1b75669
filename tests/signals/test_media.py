"""Whoever judges an answer about an image sees the image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.core.registry import load
from whetstone.core.types import Case, Media, Message, Score, Signal

IMAGE = Media("image", "image/png", b"png")
SIGNALS = ("p_true", "p_ik", "verbalized", "follow_up", "pointwise", "rubric", "checklist", "critique")
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


class Labelled:
    """The toy task with a verifier that calls every text wrong."""

    def __init__(self, task) -> None:
        self.name, self.sampling, self.read = task.name, task.sampling, task.read

    def verify(self, example, text) -> Signal:
        return Signal(0.0, "binary")


def questions_and_sight(toy, flow) -> set[tuple[str, bool]]:
    """The questions that a flow puts to a model that finds fault, and whether each holds the image."""
    seen = set()

    def answer(request):
        name, _ = toy.asked(request) if request.prompt[-1].parts[0] != "What is this?" else ("solve", {})
        seen.add((name, IMAGE in request.prompt[0].parts))
        return toy.said("the answer is 1. Verdict: N" if name in ("solve", "critique", "refine") else "Verdict: A")

    toy.run(flow, answer)
    return seen


def test_who_criticises_and_refines_sees_it(toy) -> None:
    example = replace(toy.question(1), prompt=(Message("user", ("What is this?", IMAGE)),))
    refined = {("solve", True), ("critique", True), ("refine", True)}
    for name in ("self_refine", "if_or_else"):
        assert questions_and_sight(toy, load(name)(toy.task, example)) == refined, name
    case = Case(example, toy.candidates("a cat"), (False,))
    for flow in (
        load("critique_effect")(Labelled(toy.task), [case]),
        load("refinement_hacking")(Labelled(toy.task), [case], evaluator="critique"),
    ):
        assert questions_and_sight(toy, flow) == {("critique", True), ("refine", True)}


def test_who_compares_with_critiques_or_asks_for_the_author_sees_it(toy) -> None:
    example = replace(toy.question(1), prompt=(Message("user", ("What is this?", IMAGE)),))
    mine, other = toy.candidates("a cat", source="me")[0], toy.candidates("a cat", "a dog", source="you")[1]
    judged = load("pairwise_judge")(toy.task, example, mine, other, critiques=True)
    assert questions_and_sight(toy, judged) == {("critique", True), ("compare_critiqued", True)}
    case = Case(example, (mine, other), (True, False))
    recognised = load("self_recognition")(toy.task, [case], own="me")
    assert questions_and_sight(toy, recognised) == {("compare_authorship", True), ("compare", True)}
    restyled = load("self_preference")(toy.task, [case], own="me", restyle=True)
    assert questions_and_sight(toy, restyled) == {("restyle", True), ("compare", True)}
