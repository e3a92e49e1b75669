"""Scores by a generated checklist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.audits.judge_benchmark import judge_benchmark
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


def test_a_given_checklist_is_used_as_it_is(toy) -> None:
    example = replace(toy.question(1), meta={"checklist": ["Does it mention red?", "Does it mention blue?"]})
    batch = next(checklist(toy.task, example, toy.candidates("a")))
    assert [toy.asked(request)[1]["item"] for request in batch] == example.meta["checklist"]


def test_agrees_more_with_truth_than_direct_scores_where_a_program_can_tell(toy) -> None:
    """Right answers mention all colours. The judge sees single colours, but its scores follow length."""

    def model(request):
        name, fields = toy.asked(request)
        return toy.said(f"Score: {min(len(fields['answer']), 100) // 10}") if name == "score" else judge(toy)(request)

    texts = ("red green blue", "red and green, as everybody knows")
    cases = [toy.case(i, texts, (True, False)) for i in range(20)]
    flow = judge_benchmark(toy.task, cases, judges=("pointwise", "checklist"))
    found = {f.name: f for f in toy.run(flow, model)}
    assert (found["accuracy/checklist"].estimate, found["accuracy/pointwise"].estimate) == (1, 0)
    assert found["accuracy/checklist - pointwise"].p < 0.001
