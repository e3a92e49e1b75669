"""Votes weighted by a signal."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.core.registry import find
from whetstone.strategies.weighted_vote import weigh, weighted_vote


def solver(toy, *, informed: bool):
    """Right 30 %, one wrong answer 50 %, other answers 20 %; stated confidence high when right, or noise."""

    def model(request):
        name, fields = toy.asked(request)
        luck = toy.luck(request)
        if name == "verbalized":
            right = fields["answer"].endswith(f" {fields['question']}")
            return toy.said(f"Confidence: {(80 if right else 10) if informed else luck.randrange(20, 80)}")
        draw = luck.random()
        answer = fields["question"] if draw < 0.3 else "999" if draw < 0.8 else str(luck.randrange(1000, 2000))
        return toy.said(f"the answer is {answer}")

    return model


def accuracy(toy, model, **options) -> float:
    flows = {str(i): weighted_vote(toy.task, toy.question(i), n=16, signal="verbalized", **options) for i in range(200)}
    return sum(outcome.answer == key for key, outcome in toy.every(flows, model).results.items()) / 200


def test_a_planted_signal_overturns_the_majority_and_noise_does_not(toy) -> None:
    assert accuracy(toy, solver(toy, informed=True)) > 0.95
    assert accuracy(toy, solver(toy, informed=True), weights="accept") > 0.95
    assert accuracy(toy, solver(toy, informed=True), weights="rank", power=2.0) > 0.8
    plain = accuracy(toy, solver(toy, informed=True), weights="rank", power=0.0)
    assert plain < 0.25
    assert accuracy(toy, solver(toy, informed=False)) == pytest.approx(plain, abs=0.1)


def test_average_confidence_is_the_paper_s_formula(toy) -> None:
    """sum of c_i over the answer's samples / sum of all c_i."""
    stated = {"1": 40, "2": 90}
    texts = iter(["1", "1", "1", "2", "hm"])

    def model(request):
        name, fields = toy.asked(request)
        if name == "verbalized":
            return toy.said(f"Confidence: {stated.get(fields['answer'][-1], 70)}")
        return toy.said(f"the answer is {next(texts)}")

    preset = find("weighted_vote").presets["average_confidence"]
    outcome = toy.run(weighted_vote(toy.task, toy.question(1), **preset.options), model)
    assert outcome.answer == "1"
    assert outcome.confidence.value == pytest.approx(1.2 / 2.1)


def test_borda_weights_are_ranks_to_a_power() -> None:
    assert weigh([0.2, 0.9, None, 0.5], "rank", 1.0, 0.5) == [2, 4, 1, 3]
    assert weigh([0.2, 0.9], "rank", 0.0, 0.5) == [1, 1]
    assert weigh([0.2, 0.9], "rank", 0.5, 0.5) == pytest.approx([1, 2**0.5])


def test_accepting_none_falls_back_to_all() -> None:
    assert weigh([0.2, 0.9, None], "accept", 1.0, 0.5) == [0, 1, 0]
    assert weigh([0.2, 0.1, None], "accept", 1.0, 0.5) == [1, 1, 1]


def test_negative_values_cannot_be_weights() -> None:
    with pytest.raises(ConfigError, match="weights=exp or weights=rank"):
        weigh([-0.5], "value", 1.0, 0.5)
    assert weigh([-0.5, None], "exp", 1.0, 0.5) == pytest.approx([0.6065, 0], abs=1e-4)


def test_votes_without_weight_abstain(toy) -> None:
    def model(request):
        name, _ = toy.asked(request)
        return toy.said("Confidence: 0" if name == "verbalized" else "the answer is 1")

    outcome = toy.run(weighted_vote(toy.task, toy.question(1), n=2, signal="verbalized"), model)
    assert outcome.confidence.abstained == "no vote has any weight"
