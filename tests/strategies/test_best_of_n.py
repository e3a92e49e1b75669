"""Best of n by a signal."""

from __future__ import annotations

import pytest

from whetstone.core.types import Signal
from whetstone.strategies.best_of_n import best, best_of_n


def solver(toy, *, informed: bool):
    """Right one time in four. Informed token probabilities are higher when it is right; others are noise."""

    def model(request):
        luck, number = toy.luck(request), toy.asked(request)[1]["question"]
        right = luck.random() < 0.25
        p = (0.9 if right else 0.6) if informed else 0.5 + luck.random() / 2
        return toy.said(f"the answer is {number if right else 999}", p, p)

    return model


def accuracy(toy, model, **options) -> float:
    flows = {str(i): best_of_n(toy.task, toy.question(i), n=8, **options) for i in range(300)}
    return sum(outcome.answer == key for key, outcome in toy.every(flows, model).results.items()) / 300


def test_finds_the_planted_best_and_is_no_better_than_chance_without_one(toy) -> None:
    assert accuracy(toy, solver(toy, informed=True)) == pytest.approx(1 - 0.75**8, abs=0.06), "any right one is found"
    assert accuracy(toy, solver(toy, informed=False)) == pytest.approx(0.25, abs=0.1)


def test_the_confidence_is_the_winner_s_signal(toy) -> None:
    flow = best_of_n(toy.task, toy.question(1), n=3)
    next(flow)
    texts = [toy.said("the answer is 1", 0.5), toy.said("hm", 0.99), toy.said("the answer is 2", 0.8)]
    with pytest.raises(StopIteration) as stop:
        flow.send(texts)
    outcome = stop.value.value
    assert (outcome.answer, outcome.confidence.provenance["method"]) == ("2", "mean_logprob")


def test_a_saturated_signal_accepts_and_a_second_decides(toy) -> None:
    """Three answers pass the check; of these the likeliest is taken, not the one with the highest check."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "critique":
            p = {"1": 0.99, "2": 0.97, "3": 0.02}[fields["answer"][-1]]
            return toy.letter("Verdict: Y" if p > 0.5 else "Verdict: N", Y=p, N=1 - p)
        return next(replies)

    replies = iter(
        [toy.said("the answer is 1", 0.3), toy.said("the answer is 2", 0.6), toy.said("the answer is 3", 0.9)]
    )
    outcome = toy.run(
        best_of_n(toy.task, toy.question(1), n=3, signal="critique", enough=0.5, ties="mean_logprob"), model
    )
    assert (outcome.answer, outcome.confidence.value) == ("2", pytest.approx(0.97))


def test_a_silent_signal_abstains_with_its_reason(toy) -> None:
    outcome = toy.run(best_of_n(toy.task, toy.question(1)), lambda request: toy.said("the answer is 1"))
    assert outcome.answer is None
    assert outcome.confidence.abstained == "mean_logprob: the generation has no token log-probabilities"


def test_enough_lowers_the_bar_only_when_it_is_met(toy) -> None:
    texts = toy.candidates("a", "b", "c")
    signals = [Signal(value, "score") for value in (0.6, 0.9, 0.2)]
    assert [c.text for c in best(texts, signals, None)] == ["b"]
    assert [c.text for c in best(texts, signals, 0.5)] == ["a", "b"]
    assert [c.text for c in best(texts, signals, 0.95)] == ["b"]
