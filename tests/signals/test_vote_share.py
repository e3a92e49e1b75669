"""Vote share."""

from __future__ import annotations

import pytest

from whetstone.signals.vote_share import vote_share


def test_is_the_planted_share(toy) -> None:
    texts = ["the answer is 1"] * 5 + ["so the answer is 2"] * 2 + ["hm"]
    signals = toy.run(vote_share(toy.task, toy.question(1), toy.candidates(*texts)))
    assert [s.value for s in signals[:7]] == pytest.approx([5 / 8] * 5 + [2 / 8] * 2)
    assert signals[7].abstained == "the answer is unreadable"
    low, high = signals[0].interval
    assert 0.3 < low < 5 / 8 < high < 0.9


def test_unanimity_is_not_certainty(toy) -> None:
    (signal,) = toy.run(vote_share(toy.task, toy.question(1), toy.candidates("the answer is 1")))
    assert signal.value == 1
    assert signal.interval[0] < 0.5
