"""Refining by checklist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.strategies.checklist_refine import checklist_refine

ITEMS = "1. Does it say red?\n2. Does it say blue?\n3. Does it say green?"


def model(toy, *, spoils: bool = False):
    """Mends one failed item a round; one that spoils loses everything in its second rewriting."""
    written = []

    def answer(request):
        name, fields = toy.asked(request)
        if name == "checklist":
            return toy.said(ITEMS)
        if name == "check":
            colour = fields["item"].split()[-1].rstrip("?")
            return toy.said(f"Verdict: {'Y' if colour in fields['answer'] else 'N'}")
        if name == "refine":
            written.append(fields["critique"])
            colour = fields["critique"].split("\n")[1].split()[-1].rstrip("?")
            if spoils and len(written) > 1:
                return toy.said("nothing, the answer is 1")
            return toy.said(f"{colour}, {fields['answer']}")
        return toy.said(f"the answer is {fields['question']}")

    return answer


def test_mends_what_the_checklist_finds_and_keeps_the_best_version(toy) -> None:
    outcome = toy.run(checklist_refine(toy.task, toy.question(1)), model(toy))
    assert (outcome.answer, outcome.confidence.value) == ("1", 1)
    assert outcome.confidence.provenance["shares"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert outcome.confidence.provenance["stopped"] == "passed"
    spoiled = toy.run(checklist_refine(toy.task, toy.question(1), rounds=3), model(toy, spoils=True))
    assert spoiled.text == "red, the answer is 1", "the last version is not the best one"
    assert spoiled.confidence.provenance["chosen"] == 1


def test_an_answer_that_passes_is_left_alone(toy) -> None:
    example = replace(toy.question(1), meta={"checklist": ["Does it say answer?"]})
    outcome = toy.run(checklist_refine(toy.task, example), model(toy))
    assert (len(outcome.trail), outcome.text) == (1, "the answer is 1")


def test_without_a_readable_check_it_abstains(toy) -> None:
    def mute(request):
        return toy.said(ITEMS if toy.asked(request)[0] == "checklist" else "the answer is 1")

    outcome = toy.run(checklist_refine(toy.task, toy.question(1)), mute)
    assert outcome.confidence.abstained == "no check of the first version was readable"
