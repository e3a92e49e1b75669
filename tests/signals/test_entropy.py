"""Entropy of the next-token distributions."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from whetstone.core.types import Generation, Token
from whetstone.signals.entropy import entropy


def test_finds_the_peaked_answer(toy) -> None:
    peaked = Generation("ab", (Token("a", 0.0, entropy=0.0), Token("b", log(0.9), entropy=0.2)))
    spread = Generation("ab", (Token("a", log(0.5), entropy=log(2)), Token("b", log(0.25), entropy=log(4))))
    signals = toy.run(entropy(toy.task, toy.question(1), toy.candidates(peaked, spread)))
    assert [s.value for s in signals] == pytest.approx([-0.1, -1.5 * log(2)])


def test_abstains_where_one_entropy_is_unknown(toy) -> None:
    known = Token("a", 0.0, entropy=0.0)
    (signal,) = toy.run(
        entropy(toy.task, toy.question(1), toy.candidates(Generation("ab", (known, replace(known, entropy=None)))))
    )
    assert "does not see" in signal.abstained
