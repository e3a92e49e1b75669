"""Entropy of the answers."""

from __future__ import annotations

from math import log

import pytest

from whetstone.signals.answer_entropy import answer_entropy


def test_is_the_entropy_of_the_planted_answers(toy) -> None:
    for texts, value in [
        (["the answer is 1"] * 4, 0.0),
        (["the answer is 1", "the answer is 2"] * 2, -log(2)),
        ([f"the answer is {i}" for i in range(4)], -log(4)),
        (["the answer is 1", "hm", "the answer is 1"], 0.0),
    ]:
        signals = toy.run(answer_entropy(toy.task, toy.question(1), toy.candidates(*texts)))
        assert [s.value for s in signals] == pytest.approx([value] * len(texts))


def test_abstains_when_nothing_can_be_read(toy) -> None:
    (signal,) = toy.run(answer_entropy(toy.task, toy.question(1), toy.candidates("hm")))
    assert signal.abstained == "no candidate has a readable answer"
