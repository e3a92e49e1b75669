"""Splits are a function of the question alone."""

from __future__ import annotations

from collections import Counter

from whetstone.worlds.splits import split_of


def test_shares_are_eight_one_one() -> None:
    counts = Counter(split_of(f"question {i}") for i in range(10_000))
    assert 7_800 < counts["train"] < 8_250
    assert 850 < counts["dev"] < 1_150
    assert 850 < counts["test"] < 1_150


def test_a_split_never_changes() -> None:
    assert [split_of(text) for text in ("63c-7e-3b+0", "4 7 8 8 -> 24", "\ud800")] == ["train", "train", "train"]
