"""P(True)."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Score, Token
from whetstone.signals.p_true import p_true


def believer(toy, belief):
    """Scores Y and N by what it believes of an answer; half of the mass goes elsewhere."""

    def model(request):
        assert isinstance(request, Score)
        name, fields = toy.asked(request)
        assert name == "p_true"
        p = belief(fields)
        share = (p if request.continuation == "Y" else 1 - p) / 2
        return Generation(request.continuation, (Token(request.continuation, log(share)),))

    return model


def test_finds_the_planted_belief_and_calls_a_coin_a_coin(toy) -> None:
    model = believer(toy, lambda fields: 0.9 if fields["answer"].endswith(fields["question"]) else 0.2)
    texts = toy.candidates("the answer is 7", "the answer is 8", "the answer is 7")
    signals = toy.run(p_true(toy.task, toy.question(7), texts), model)
    assert [s.value for s in signals] == pytest.approx([0.9, 0.2, 0.9])
    assert {(s.kind, s.n) for s in signals} == {("probability", 1)}
    coin = toy.run(p_true(toy.task, toy.question(7), texts), believer(toy, lambda fields: 0.5))
    assert [s.value for s in coin] == pytest.approx([0.5] * 3)


def test_asks_about_each_distinct_answer_once(toy) -> None:
    batch = next(p_true(toy.task, toy.question(7), toy.candidates("a", "b", "a")))
    assert [request.continuation for request in batch] == ["Y", "N", "Y", "N"]


def test_a_very_sure_model_does_not_overflow(toy) -> None:
    def model(request):
        return Generation("", (Token("x", 0.0 if request.continuation == "N" else -5000.0),))

    (signal,) = toy.run(p_true(toy.task, toy.question(7), toy.candidates("a")), model)
    assert signal.value == pytest.approx(0)


def test_abstains_without_logprobs(toy) -> None:
    (signal,) = toy.run(p_true(toy.task, toy.question(7), toy.candidates("a")), lambda request: Generation("Y"))
    assert signal.abstained == "this backend gives no log-probabilities of Y and N"
