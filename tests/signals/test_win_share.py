"""Shares of wins."""

from __future__ import annotations

import pytest

from whetstone.signals.win_share import win_share
from whetstone.strategies.best_of_n import best_of_n


def judge(toy, *, blind: bool = False):
    """Prefers the higher last number; a blind one the first position."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "solve":
            return toy.said(f"the answer is {toy.luck(request).randrange(10)}")
        a, b = (int(fields[side].split()[-1]) for side in ("first", "second"))
        return toy.said("Verdict: A" if blind or a > b else "Verdict: B")

    return model


def shares(toy, model, *numbers, **options):
    texts = toy.candidates(*(f"the answer is {n}" for n in numbers))
    return toy.run(win_share(toy.task, toy.question(1), texts, **options), model)


def test_finds_the_planted_order_and_half_for_equals(toy) -> None:
    assert [s.value for s in shares(toy, judge(toy), 3, 1, 4, 2, 3)] == pytest.approx([2 / 3, 0, 1, 1 / 3, 2 / 3])
    assert {s.value for s in shares(toy, judge(toy, blind=True), 3, 1, 4, 2)} == {0.5}


def test_best_of_n_by_a_crowd_takes_what_the_judge_prefers(toy) -> None:
    outcome = toy.run(best_of_n(toy.task, toy.question(1), n=6, signal="win_share"), judge(toy))
    assert outcome.answer == max(toy.task.read(None, c.text) for c in outcome.trail)
    crowd = shares(toy, judge(toy), 3, 1, 4, judge="crowd_judge")
    assert [s.value for s in crowd] == [0.5, 0, 1]
    assert crowd[0].provenance["judge"] == "crowd_judge"


def test_comparisons_without_a_choice_are_left_out(toy) -> None:
    def model(request):
        fields = toy.asked(request)[1]
        return toy.said("hm" if "4" in fields["first"] + fields["second"] else "Verdict: E")

    found = shares(toy, model, 1, 2, 4)
    assert [(s.value, s.n) for s in found] == [(0.5, 1), (0.5, 1), (None, 0)]
    assert found[2].abstained == "pairwise_judge: unreadable reply in 2 of 2 orders"
