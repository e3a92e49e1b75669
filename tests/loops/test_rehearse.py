"""Rehearsal records what passes between methods and the model, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.core.flow import drive
from whetstone.core.types import Candidate, Example, Generation, form, user
from whetstone.loops._rehearse import rehearse, spread
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.models.scripted import ScriptedModel


def group(answers: str, name: str = "q") -> Group:
    prompt = user(form("solve", "{question}", question="1+2"))
    candidates = tuple(Candidate(str(i), Generation(f"={a}")) for i, a in enumerate(answers))
    return Group(Example(name, prompt), candidates, tuple(answers), (None,) * len(answers))


def turn(finish: str = "stop") -> Turn:
    def answer(request):
        name = request.prompt[-1].parts[0].name
        return Generation({"critique": "fine Y", "compare": "A", "refine": "=3", "solve": "=9"}[name], finish=finish)

    return Turn(1, lambda name, flows: drive(flows, {"policy": ScriptedModel(answer)}))


def asked(items) -> list[tuple[str, str]]:
    return [(item.prompt[-1].parts[0].name, item.completion) for item in items]


def test_signals_see_a_voted_and_another_answer(largest):
    items = rehearse(turn(), largest(), [group("3372"), group("33")], ["critique"])
    assert asked(items) == [("critique", "fine Y")] * 3
    assert [item.prompt[-1].parts[0]["answer"] for item in items] == ["=3", "=7", "=3"]


def test_judges_and_strategies_are_rehearsed_without_their_answers_to_the_question(largest):
    items = rehearse(turn(), largest(), [group("3372")], ["pairwise_judge", "self_refine"])
    names = {name for name, _ in asked(items)}
    assert {"compare", "critique"} <= names
    assert "solve" not in names


@pytest.mark.parametrize("finish", ["length"])
def test_cut_off_replies_are_not_rehearsed(largest, finish):
    assert rehearse(turn(finish), largest(), [group("3372")], ["critique"]) == []


def test_rehearsed_questions_are_spread_over_levels():
    groups = [group("33", name=f"q{i}") for i in range(90)]
    graded = [replace(g, example=replace(g.example, meta={"level": 1 if i < 80 else 2})) for i, g in enumerate(groups)]
    chosen = spread(graded, 12, Random(0))
    assert [sum(g.example.level == level for g in chosen) for level in ("1", "2")] == [6, 6]
