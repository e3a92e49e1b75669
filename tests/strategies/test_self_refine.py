"""Critique and refine."""

from __future__ import annotations

import pytest

from whetstone.strategies.self_refine import self_refine


def reviser(toy, *, steps: int = 1, wrong: bool = True):
    """Starts `steps` off the right answer; the critic says so, and each refinement comes one closer."""

    def model(request):
        name, fields = toy.asked(request)
        target = int(fields["question"])
        if name == "critique":
            right = fields["answer"].endswith(f" {target}")
            return toy.said(f"Verdict: {'Y' if right else 'N'}")
        if name == "refine":
            assert fields["critique"] == "Verdict: N"
            now = int(fields["answer"].split()[-1])
            return toy.said(f"the answer is {now - 1}")
        return toy.said(f"the answer is {target + steps if wrong else target}")

    return model


def test_mends_planted_defects_and_leaves_right_answers_alone(toy) -> None:
    mended = toy.run(self_refine(toy.task, toy.question(7)), reviser(toy, steps=2))
    assert (mended.answer, len(mended.trail), mended.confidence.value) == ("7", 3, 1)
    assert mended.confidence.provenance["stopped"] == "accepted"
    alone = toy.run(self_refine(toy.task, toy.question(7)), reviser(toy, wrong=False))
    assert (alone.answer, len(alone.trail)) == ("7", 1)


def test_stops_when_rounds_are_used(toy) -> None:
    outcome = toy.run(self_refine(toy.task, toy.question(7), rounds=2), reviser(toy, steps=5))
    assert (outcome.answer, len(outcome.trail)) == ("10", 3)
    assert (outcome.confidence.value, outcome.confidence.provenance["stopped"]) == (0, "rounds")


def test_every_turn_by_next_and_send(toy) -> None:
    flow = self_refine(toy.task, toy.question(7), rounds=1)
    names = [toy.asked(next(flow)[0])[0]]
    for reply in ("the answer is 8", "Verdict: N", "the answer is 7"):
        (request,) = flow.send([toy.said(reply)])
        names.append(toy.asked(request)[0])
    assert names == ["solve", "critique", "refine", "critique"]
    with pytest.raises(StopIteration) as stop:
        flow.send([toy.said("Verdict: Y")])
    assert stop.value.value.answer == "7"


def test_unreadable_turns_keep_what_there_is(toy) -> None:
    def mute_critic(request):
        return toy.said("the answer is 8" if toy.asked(request)[0] == "solve" else "well")

    outcome = toy.run(self_refine(toy.task, toy.question(7)), mute_critic)
    assert (outcome.answer, outcome.confidence.value) == ("8", None)
    assert outcome.confidence.provenance["stopped"] == "unreadable critique"

    def bad_refiner(request):
        return toy.said({"solve": "the answer is 8", "critique": "Verdict: N"}.get(toy.asked(request)[0], "garbage"))

    outcome = toy.run(self_refine(toy.task, toy.question(7)), bad_refiner)
    assert (outcome.answer, len(outcome.trail)) == ("8", 2)
    assert outcome.confidence.provenance["stopped"] == "unreadable refinement"


def test_answers_with_what_it_has_when_tokens_run_out(toy) -> None:
    outcome = toy.run(self_refine(toy.task, toy.question(7)), reviser(toy, steps=5), budget=300)
    assert outcome.answer in ("12", "11", "10")
    assert outcome.confidence.provenance["stopped"] == "budget"
