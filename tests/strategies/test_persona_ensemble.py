"""A role and no role."""

from __future__ import annotations

import pytest

from whetstone.strategies.persona_ensemble import persona_ensemble


def model(toy, *, persona_right: bool, bias: float = 0.0, skill: float = 1.0):
    """Right in one of the two ways; its judge prefers the right answer by `skill` and the first one by `bias`."""

    def answer(request):
        name, fields = toy.asked(request)
        if name == "persona":
            return toy.said("You are an expert.")
        if name == "compare":
            good = [fields[side].endswith(f" {fields['question']}") for side in ("first", "second")]
            p = 0.5 + bias + skill * (good[0] - good[1]) / 2
            shaken = request.sampling.temperature > 0
            drawn = toy.luck(request).random() if shaken else 0.5
            return toy.said("Verdict: A" if drawn < p else "Verdict: B")
        acting = request.prompt[0].role == "system"
        right = acting == persona_right
        return toy.said(f"the answer is {fields['question'] if right else 90}")

    return answer


@pytest.mark.parametrize("persona_right", [True, False])
def test_takes_the_better_answer_behind_an_order_bias(toy, persona_right) -> None:
    """The greedy judge always takes the first; asked again it is consistent only where it knows."""
    flows = {str(i): persona_ensemble(toy.task, toy.question(i), attempts=20) for i in range(40)}
    biased = toy.every(flows, model(toy, persona_right=persona_right, bias=0.25, skill=0.45)).results
    assert sum(outcome.answer == key for key, outcome in biased.items()) >= 33
    assert all(outcome.confidence.provenance["attempts"] > 1 for outcome in biased.values())
    clear = toy.run(persona_ensemble(toy.task, toy.question(1)), model(toy, persona_right=persona_right))
    assert (clear.answer, clear.confidence.value) == ("1", 1)
    assert clear.confidence.provenance["source"] == ("persona" if persona_right else "neutral")


def test_a_judge_that_only_sees_positions_leaves_the_plain_answer(toy) -> None:
    outcome = toy.run(persona_ensemble(toy.task, toy.question(1)), model(toy, persona_right=True, bias=1, skill=0))
    assert (outcome.answer, outcome.confidence.value) == ("90", 0)
    assert [candidate.source for candidate in outcome.trail] == ["persona", "neutral"]


def test_equal_answers_need_no_judge_and_unreadable_ones_do_not_win(toy) -> None:
    def same(request):
        assert toy.asked(request)[0] != "compare"
        return toy.said("the answer is 5")

    assert toy.run(persona_ensemble(toy.task, toy.question(5)), same).answer == "5"

    def silent_plain(request):
        acting = request.prompt[0].role == "system"
        return toy.said("the answer is 5" if acting else "hm")

    assert toy.run(persona_ensemble(toy.task, toy.question(5)), silent_plain).answer == "5"
