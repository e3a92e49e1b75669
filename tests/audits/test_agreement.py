"""Agreement with the verifier."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.agreement import agreement, judge_agreement, signal_agreement
from whetstone.audits.evaluating import Pair
from whetstone.core.types import TIE, Case, Signal, Verdict


def critics(toy, seed: int, n: int, *, recall: float, false_alarm: float):
    """Half of the answers are wrong; the critic flags them at its recall and right ones at its false-alarm rate."""
    rng = Random(seed)
    cases, values = [], []
    for i in range(n):
        right = rng.random() < 0.5
        flagged = rng.random() < (false_alarm if right else recall)
        cases.append(Case(toy.question(i), toy.candidates("x"), (right,)))
        values.append([Signal(float(not flagged), "probability")])
    return {f.name: f for f in signal_agreement(cases, values)}


def test_recovers_the_planted_accuracy_and_a_coin_has_no_kappa(toy) -> None:
    found = critics(toy, 0, 600, recall=0.9, false_alarm=0.2)
    for name, truth in (("accuracy", 0.85), ("recall", 0.9), ("false_alarm", 0.2), ("kappa", 0.7)):
        low, high = found[name].interval
        assert low < truth < high
        assert high - low < 0.15
    assert found["kappa"].verdict == "agrees beyond chance"
    believed = sum(
        critics(toy, seed, 60, recall=0.3, false_alarm=0.3)["kappa"].verdict == "agrees beyond chance"
        for seed in range(200)
    )
    assert believed <= 12, "one side of a 95 % interval: 5 expected"


def test_a_judge_s_choices(toy) -> None:
    rng = Random(0)
    pairs = [Pair(toy.question(i), *toy.candidates("x", "y"), (i % 2 == 0, i % 2 == 1)) for i in range(400)]
    verdicts = []
    for pair in pairs:
        good, bad = ("c0", "c1") if pair.correct[0] else ("c1", "c0")
        draw = rng.random()
        choice = None if draw < 0.05 else TIE if draw < 0.25 else good if draw < 0.25 + 0.75 * 0.8 else bad
        verdicts.append(Verdict(("c0", "c1"), choice))
    found = {f.name: f for f in judge_agreement(pairs, verdicts)}
    for name, truth in (("accuracy", 0.8), ("ties", 0.2), ("abstained", 0.05), ("kappa", 0.6)):
        low, high = found[name].interval
        assert low < truth < high
    silent = judge_agreement(pairs[:4], [Verdict(("c0", "c1"), TIE)] * 4)
    assert (silent[0].estimate, silent[0].verdict) == (None, "never decides")


@pytest.mark.parametrize("evaluator", ["critique", "pairwise_judge"])
def test_runs_signals_and_judges(toy, evaluator) -> None:
    def model(request):
        name, fields = toy.asked(request)
        if name == "critique":
            return toy.said(f"Verdict: {'Y' if fields['answer'] == 'good' else 'N'}")
        return toy.said(f"Verdict: {'A' if fields['first'] == 'good' else 'B'}")

    cases = [toy.case(i, ("good", "bad")[:: 1 if i % 2 else -1], (i % 2 == 1, i % 2 == 0)) for i in range(20)]
    found = {f.name: f for f in toy.run(agreement(toy.task, cases, evaluator=evaluator), model)}
    assert found["accuracy"].estimate == found["kappa"].estimate == 1
