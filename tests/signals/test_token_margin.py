"""The gap between the two likeliest tokens."""

from __future__ import annotations

import pytest

from whetstone.signals.token_margin import token_margin


def test_finds_the_answer_without_rivals(toy) -> None:
    alone = toy.said("ab", 0.5, 0.5, alternatives={"a": 0.5, "b": 0.01})
    rival = toy.said("ab", 0.5, 0.5, alternatives={"a": 0.5, "b": 0.49})
    signals = toy.run(token_margin(toy.task, toy.question(1), toy.candidates(alone, rival)))
    assert [s.value for s in signals] == pytest.approx([0.49, 0.01])


def test_abstains_without_alternatives(toy) -> None:
    (signal,) = toy.run(token_margin(toy.task, toy.question(1), toy.candidates(toy.said("ab", 0.5))))
    assert signal.abstained == "needs the two likeliest alternatives of every token"
