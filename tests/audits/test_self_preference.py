"""Self-preference."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.evaluating import Pair
from whetstone.audits.self_preference import bias_score, self_preference
from whetstone.core.types import Candidate, Case, Generation, Verdict

MINE, OTHER = Candidate("m", Generation("mine"), "me"), Candidate("o", Generation("other"), "you")


def audit(toy, seed: int, n: int, *, better: float, bias: float):
    """Own answers are right with probability `better`, others with 1/2; the judge sees what is right, but on a share
    `bias` of the pairs takes its own answer whatever it is worth. Equally good pairs are decided by a coin."""
    rng = Random(seed)
    pairs, verdicts = [], []
    for i in range(n):
        right = rng.random() < better, rng.random() < 0.5
        fair = ("m" if rng.random() < 0.5 else "o") if right[0] == right[1] else "m" if right[0] else "o"
        pairs.append(Pair(toy.question(i), MINE, OTHER, right))
        verdicts.append(Verdict(("m", "o"), "m" if rng.random() < bias else fair))
    return bias_score(pairs, verdicts, "me")


def test_finds_the_planted_bias_and_none_in_a_fair_judge_of_a_better_system(toy) -> None:
    biased = audit(toy, 0, 500, better=0.5, bias=0.3)
    assert biased.interval[0] < 0.15 < biased.interval[1], "on a share of .3 the win rate rises from 1/2 to 1"
    assert biased.verdict == "favours its own answers"
    fair = audit(toy, 0, 500, better=0.9, bias=0.0)
    assert (fair.detail["judged"] > 0.65, fair.verdict) == (True, "no self-preference found")
    accused = sum(audit(toy, seed, 60, better=0.8, bias=0.0).p < 0.05 for seed in range(200))
    assert 2 <= accused <= 19


def test_asks_about_pairs_of_one_own_and_one_other_answer(toy) -> None:
    cases = [Case(toy.question(i), (OTHER, MINE), (True, False)) for i in range(6)]
    (found,) = toy.run(
        self_preference(toy.task, cases, own="me"),
        lambda request: toy.said(f"Verdict: {'A' if toy.asked(request)[1]['first'] == 'mine' else 'B'}"),
    )
    assert (found.estimate, found.detail["judged"], found.detail["gold"]) == (1, 1, 0)
    (nothing,) = toy.run(self_preference(toy.task, cases, own="nobody"))
    assert "no case has labelled answers of 'nobody'" in nothing.verdict


def test_ties_and_silence_are_halves_and_counts(toy) -> None:
    pairs = [Pair(toy.question(i), MINE, OTHER, (True, True)) for i in range(3)]
    found = bias_score(pairs, [Verdict(("m", "o"), c) for c in ("m", "TIE", None)], "me")
    assert found.estimate == pytest.approx(0.25)
    assert (found.n, found.detail["abstained"]) == (2, 1)


def test_a_panel_can_be_the_gold_standard(toy) -> None:
    """A judge that likes its own long answers, and a panel that likes them as well."""
    mine = Candidate("m", Generation("my long answer"), "me")
    cases = [Case(toy.question(i), (OTHER, mine)) for i in range(8)]

    def judge(request):
        return toy.said(f"Verdict: {'A' if 'long' in toy.asked(request)[1]['first'] else 'B'}")

    (alone,) = toy.run(self_preference(toy.task, cases, own="me"), judge)
    assert "no case has labelled answers" in alone.verdict
    (found,) = toy.run(self_preference(toy.task, cases, own="me", gold="pairwise_judge, answer_length"), judge)
    assert (found.estimate, found.detail["judged"], found.detail["gold"]) == (0, 1, 1), "the panel likes them as well"


def test_restyling_takes_out_a_preference_for_a_style_and_leaves_one_for_an_author(toy) -> None:
    styled = Candidate("m", Generation("In sum: 7"), "me")
    plain = Candidate("o", Generation("it is 7"), "other")
    cases = [Case(toy.question(i), (styled, plain), (True, True)) for i in range(10)]

    def likes(mark: str):
        def model(request):
            name, fields = toy.asked(request)
            if name == "restyle":
                return toy.said(fields["answer"].replace("In sum: ", "so "))
            first, second = (mark in fields[side] for side in ("first", "second"))
            return toy.said(f"Verdict: {'E' if first == second else 'A' if first else 'B'}")

        return model

    found = toy.run(self_preference(toy.task, cases, own="me", restyle=True), likes("In sum"))
    assert [f.name for f in found] == ["self_preference", "self_preference restyled"]
    assert [f.estimate for f in found] == [0.5, 0]
    lasting = toy.run(self_preference(toy.task, cases, own="me", restyle=True), likes("so"))
    assert [f.estimate for f in lasting] == [0, 0.5]
