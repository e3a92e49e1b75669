"""Length, the naive baseline."""

from __future__ import annotations

from whetstone.signals.answer_length import answer_length


def test_counts_characters(toy) -> None:
    signals = toy.run(answer_length(toy.task, toy.question(1), toy.candidates("ab", "abcde", "")))
    assert [s.value for s in signals] == [2, 5, 0]
