"""Rehearsal records what passes between methods and the model, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from whetstone.core.flow import drive
from whetstone.core.types import Candidate, Example, Generation, form, user
from whetstone.loops._rehearse import rehearse, spread
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule
from whetstone.models.scripted import ScriptedModel


def group(answers: str, name: str = "q") -> Group:
    prompt = user(form("solve", "{question}", question="1+2"))
    candidates = tuple(Candidate(str(i), Generation(f"={a}")) for i, a in enumerate(answers))
    return Group(Example(name, prompt), candidates, tuple(answers), (None,) * len(answers))


def rehearsed(task, groups, names, *, says=None, finish: str = "stop"):
    """Items of a rehearsal with a critic that knows 3 to be right, unless told otherwise."""

    def answer(request):
        form = request.prompt[-1].parts[0]
        replies = {"compare": "A" if form_field(form, "first") == "=3" else "B", "refine": "=3", "solve": "=9"}
        text = says or ("Y" if form_field(form, "answer") == "=3" else "N")
        return Generation(text if form.name == "critique" else replies[form.name], finish=finish)

    turn = Turn(1, lambda name, flows: drive(flows, {"policy": ScriptedModel(answer)}))
    return rehearse(turn, Sampler(task, Rule(), 4, 0.7), groups, names)


def form_field(form, name: str) -> str:
    return dict(form.fields).get(name, "")


def asked(items) -> list[tuple[str, str, str]]:
    return [(i.prompt[-1].parts[0].name, form_field(i.prompt[-1].parts[0], "answer"), i.completion) for i in items]


def test_signals_see_a_voted_and_another_answer(largest):
    items = rehearsed(largest(), [group("3372")], ["critique"])
    assert asked(items) == [("critique", "=3", "Y"), ("critique", "=7", "N")]


def test_where_all_agree_the_other_answer_is_sampled_hot(largest):
    items = rehearsed(largest(), [group("33")], ["critique"])
    assert asked(items) == [("critique", "=3", "Y"), ("critique", "=9", "N")]


def test_exchanges_against_the_vote_are_left_out(largest):
    assert rehearsed(largest(), [group("3372")], ["critique"], says="N") == []
    assert rehearsed(largest(), [group("7732")], ["critique"]) == []


def test_judges_and_strategies_are_rehearsed_without_their_answers_to_the_question(largest):
    items = rehearsed(largest(), [group("3372")], ["pairwise_judge", "self_refine"])
    names = {name for name, _, _ in asked(items)}
    assert names == {"compare", "critique", "refine"}


def test_cut_off_replies_are_not_rehearsed(largest):
    assert rehearsed(largest(), [group("3372")], ["critique"], finish="length") == []


def test_rehearsed_questions_are_spread_over_levels():
    groups = [group("33", name=f"q{i}") for i in range(90)]
    graded = [replace(g, example=replace(g.example, meta={"level": 1 if i < 80 else 2})) for i, g in enumerate(groups)]
    chosen = spread(graded, 12, Random(0))
    assert [sum(g.example.level == level for g in chosen) for level in ("1", "2")] == [6, 6]
