"""What critiques lead to."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.critique_effect import critique_effect
from whetstone.core.types import Signal


def critic(toy, *, recall: float, false_alarm: float, mend: float):
    """Flags wrong answers at its recall, right ones at its false-alarm rate; a refinement is right at rate `mend`."""

    def model(request):
        name, fields = toy.asked(request)
        luck, number = Random(f"{name} {fields}"), fields["question"]
        if name == "critique":
            right = fields["answer"].endswith(f" {number}")
            flagged = luck.random() < (false_alarm if right else recall)
            return toy.said(f"Verdict: {'N' if flagged else 'Y'}")
        return toy.said(f"the answer is {number if luck.random() < mend else 999}")

    return model


class Labelled:
    """The toy task with its verifier: labels of corrections are the audit's to ask for."""

    def __init__(self, task) -> None:
        self.sampling, self.read = task.sampling, task.read

    def verify(self, example, text) -> Signal:
        return Signal(float(self.read(example, text) == example.id[1:]), "binary")


def audit(toy, model, n=300, **options):
    cases = [
        toy.case(i, (f"the answer is {i}", "the answer is 777"), (True, False), source="other") for i in range(1, n + 1)
    ]
    return {f.name: f for f in toy.run(critique_effect(Labelled(toy.task), cases, **options), model)}


def test_finds_the_planted_rates_and_no_effect_of_an_idle_critic(toy) -> None:
    found = audit(toy, critic(toy, recall=0.9, false_alarm=0.1, mend=0.8))
    for name, truth in (("wrong_to_right", 0.72), ("right_to_wrong", 0.02), ("after", 0.85), ("gain", 0.35)):
        low, high = found[name].interval
        assert low < truth < high
    assert found["gain"].verdict == "critiques help"
    harm = audit(toy, critic(toy, recall=0.5, false_alarm=0.5, mend=0.1))
    assert harm["gain"].verdict == "critiques harm"
    idle = audit(toy, critic(toy, recall=0.0, false_alarm=0.0, mend=0.5), n=20)
    assert (idle["gain"].estimate, idle["gain"].verdict) == (0, "no effect of critiques found")
    assert idle["wrong_to_right"].estimate == 0


def test_iterated_critiques_find_what_the_first_missed(toy) -> None:
    model = critic(toy, recall=1.0, false_alarm=0.0, mend=0.5)
    one, two = (audit(toy, model, n=100, rounds=r)["wrong_to_right"].estimate for r in (1, 2))
    assert one == pytest.approx(0.5, abs=0.15)
    assert two >= one


def test_unreadable_critiques_are_counted(toy) -> None:
    def model(request):
        number = toy.asked(request)[1]["question"]
        return toy.said("hm" if number == "1" else "Verdict: Y")

    assert audit(toy, model, n=5)["gain"].detail["left_out"] == 2
