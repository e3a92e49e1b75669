"""Selective generation."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Score, Token
from whetstone.strategies.selective_generation import selective_generation


def chooser(toy, letters: dict[str, float], beliefs: dict[str, float], samples: list[str]):
    """Fixed samples; probabilities of the letters in the multiple choice and of Y for each answer."""
    drawn = iter(samples)

    def model(request):
        name, fields = toy.asked(request)
        if not isinstance(request, Score):
            return toy.said(f"the answer is {next(drawn)}")
        if name == "select":
            p = letters[request.continuation]
        else:
            yes = beliefs[fields["answer"][-1]]
            p = yes if request.continuation == "Y" else 1 - yes
        return Generation(request.continuation, (Token(request.continuation, log(p)),))

    return model


LETTERS = {"A": 0.2, "B": 0.4, "C": 0.1}
BELIEFS = {"1": 0.9, "2": 0.6}


def ask(toy, **options):
    model = chooser(toy, LETTERS, BELIEFS, ["1", "2", "2", "1"])
    return toy.run(selective_generation(toy.task, toy.question(1), **options), model)


def test_scores_are_the_hand_computed_ones_and_silence_pays(toy) -> None:
    """A and B are the two distinct answers, C is none of the above with mass .1 of .7."""
    none = 0.1 / 0.7
    for options, answer, value in [
        ({"rule": "select"}, "2", -none),
        ({"rule": "select", "none_of_above": False}, "2", log(0.4)),
        ({"rule": "eval"}, "1", 0.9),
        ({"rule": "hybrid"}, "2", 0.6 - none),
        ({"rule": "hybrid", "none_of_above": False}, "2", 0.6),
    ]:
        outcome = ask(toy, **options)
        assert (outcome.answer, outcome.confidence.value) == (answer, pytest.approx(value))
    silent = ask(toy, threshold=0.5)
    assert (silent.answer, silent.confidence.abstained) == (None, "confidence 0.457 is below 0.5")
    assert ask(toy, threshold=0.4).answer == "2"


def test_a_belief_that_follows_the_truth_buys_accuracy_with_silence(toy) -> None:
    """Right answers are believed at .8, wrong ones at .3, half of the samples are right: the threshold sorts them."""

    def model(request):
        fields = toy.asked(request)[1]
        if not isinstance(request, Score):
            right = toy.luck(request).random() < 0.5
            return toy.said(f"the answer is {fields['question'] if right else 999}")
        yes = 0.8 if fields["answer"].endswith(f" {fields['question']}") else 0.3
        return Generation("", (Token("x", log(yes if request.continuation == "Y" else 1 - yes)),))

    def accuracy(threshold):
        flows = {
            str(i): selective_generation(toy.task, toy.question(i), n=1, rule="eval", threshold=threshold)
            for i in range(100)
        }
        answered = {k: o.answer for k, o in toy.every(flows, model).results.items() if o.answer is not None}
        return sum(k == a for k, a in answered.items()) / len(answered), len(answered)

    everything, most = accuracy(None)
    assert (everything, most) == (pytest.approx(0.5, abs=0.15), 100)
    assert accuracy(0.5) == (1.0, round(everything * 100))


def test_abstains_without_logprobs(toy) -> None:
    outcome = toy.run(selective_generation(toy.task, toy.question(1)), lambda request: toy.said("the answer is 1"))
    assert outcome.confidence.abstained == "this backend gives no log-probabilities of letters"
