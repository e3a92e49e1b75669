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
