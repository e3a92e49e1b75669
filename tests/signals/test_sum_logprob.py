"""Sequence log-probability."""

from __future__ import annotations

from math import log

import pytest

from whetstone.signals.sum_logprob import sum_logprob


def test_finds_the_likelier_answer(toy) -> None:
    long, short = toy.said("the answer is 1", 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9), toy.said("the answer is 2", 0.5)
    signals = toy.run(sum_logprob(toy.task, toy.question(1), toy.candidates(long, short)))
    assert [s.value for s in signals] == pytest.approx([7 * log(0.9), log(0.5)])
