"""The least likely token."""

from __future__ import annotations

from math import log

import pytest

from whetstone.signals.min_logprob import min_logprob


def test_finds_the_one_doubtful_token(toy) -> None:
    doubtful, even = toy.said("abcd", 0.99, 0.99, 0.1, 0.99), toy.said("abcd", 0.6, 0.6, 0.6, 0.6)
    signals = toy.run(min_logprob(toy.task, toy.question(1), toy.candidates(doubtful, even)))
    assert [s.value for s in signals] == pytest.approx([log(0.1), log(0.6)])


def test_an_empty_generation_abstains(toy) -> None:
    from whetstone.core.types import Generation

    (signal,) = toy.run(min_logprob(toy.task, toy.question(1), toy.candidates(Generation("", ()))))
    assert signal.abstained == "the generation is empty"
