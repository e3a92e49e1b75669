"""Self-certainty."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.self_certainty import self_certainty


def divergence(probabilities: list[float]) -> float:
    """KL(uniform || p) from its definition, term by term."""
    u = 1 / len(probabilities)
    return sum(u * log(u / p) for p in probabilities)


def test_matches_the_formula_and_finds_the_peaked_answer(toy) -> None:
    peaked, spread = [0.97, 0.01, 0.01, 0.01], [0.3, 0.3, 0.2, 0.2]
    assert divergence(peaked) == pytest.approx(-sum(map(log, peaked)) / 4 - log(4)), "the form in the docstring"
    generations = [
        Generation("ab", tuple(Token(t, log(p[0]), certainty=divergence(p)) for t in "ab")) for p in (peaked, spread)
    ]
    signals = toy.run(self_certainty(toy.task, toy.question(1), toy.candidates(*generations)))
    assert [s.value for s in signals] == pytest.approx([divergence(peaked), divergence(spread)])
    assert signals[0].value > signals[1].value > 0


def test_abstains_on_a_partial_vocabulary(toy) -> None:
    (signal,) = toy.run(self_certainty(toy.task, toy.question(1), toy.candidates(toy.said("ab", 0.9))))
    assert "whole vocabulary" in signal.abstained
