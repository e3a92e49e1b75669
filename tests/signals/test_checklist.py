"""Scores by a generated checklist."""

from __future__ import annotations

import pytest

from whetstone.signals.checklist import checklist

ITEMS = """Here you go:
1. Does it mention red?
2. Does it mention green?
- Does it mention blue?
4. Does it mention red?"""


def judge(toy, items: str = ITEMS):
    """Writes the checklist; answers an item by whether the answer mentions the colour."""

    def model(request):
        name, fields = toy.asked(request)
        assert request.role == "judge"
        if name == "checklist":
            return toy.said(items)
        colour = fields["item"].split()[-1].rstrip("?")
        return toy.said(f"I looked. Verdict: {'Y' if colour in fields['answer'] else 'N'}")

    return model


def test_finds_the_share_of_planted_requirements(toy) -> None:
    texts = toy.candidates("red green blue", "red", "nothing", "blue red")
    signals = toy.run(checklist(toy.task, toy.question(1), texts), judge(toy))
    assert [s.value for s in signals] == pytest.approx([1, 1 / 3, 0, 2 / 3])
    assert [s.n for s in signals] == [3, 3, 3, 3], "an item written twice counts once"
    assert signals[3].provenance["failed"] == ["Does it mention green?"]


def test_one_checklist_serves_all_candidates(toy) -> None:
    flow = checklist(toy.task, toy.question(1), toy.candidates("a", "b", "a"), most=2)
    assert len(next(flow)) == 1
    batch = flow.send([toy.said(ITEMS)])
    assert [toy.asked(r)[1]["answer"] for r in batch] == ["a", "a", "b", "b"]


def test_abstains_without_a_checklist_and_leaves_out_unreadable_checks(toy) -> None:
    (signal,) = toy.run(checklist(toy.task, toy.question(1), toy.candidates("a")), judge(toy, "no list here"))
    assert signal.abstained == "the judge wrote no readable checklist"

    def half(request):
        name, fields = toy.asked(request)
        if name == "check" and "green" in fields["item"]:
            return toy.said("hm")
        return judge(toy)(request)

    (signal,) = toy.run(checklist(toy.task, toy.question(1), toy.candidates("red")), half)
    assert (signal.value, signal.n, signal.provenance["unreadable"]) == (0.5, 2, 1)
