"""Mean log-probability."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Score
from whetstone.signals.mean_logprob import mean_logprob


def test_finds_the_surer_answer(toy) -> None:
    """Longer but surer at every token: the mean prefers it."""
    sure, unsure = toy.said("the answer is 1", 0.9, 0.9, 0.9, 0.9), toy.said("the answer is 2", 0.5)
    signals = toy.run(mean_logprob(toy.task, toy.question(1), toy.candidates(sure, unsure)))
    assert [s.value for s in signals] == pytest.approx([log(0.9), log(0.5)])
    assert [(s.kind, s.n, s.stderr) for s in signals] == [("score", 4, None), ("score", 1, None)]


def test_one_without_tokens_abstains_alone(toy) -> None:
    signals = toy.run(mean_logprob(toy.task, toy.question(1), toy.candidates("x", toy.said("y", 0.5))))
    assert signals[0].abstained == "the generation has no token log-probabilities"
    assert signals[1].value == pytest.approx(log(0.5))


def test_rescores_texts_without_tokens_once_each(toy) -> None:
    def model(request):
        assert isinstance(request, Score)
        return toy.said(request.continuation, 0.25, 0.25)

    flow = mean_logprob(toy.task, toy.question(1), toy.candidates("x y", "x y", toy.said("z", 0.5)), rescore=True)
    batch = next(flow)
    assert [request.continuation for request in batch] == ["x y"]
    flow.close()
    signals = toy.run(
        mean_logprob(toy.task, toy.question(1), toy.candidates("x y", "x y", toy.said("z", 0.5)), rescore=True), model
    )
    assert [s.value for s in signals] == pytest.approx([log(0.25), log(0.25), log(0.5)])
