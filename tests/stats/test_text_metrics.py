"""Metrics by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.stats import text_metrics
from whetstone.stats.text_metrics import METRICS, REFERENCE_FREE, common


def test_the_same_text_is_as_close_as_can_be_and_strangers_are_far() -> None:
    text = "The cat sat on the mat near the door"
    for name, metric in METRICS.items():
        if name not in REFERENCE_FREE:
            assert metric(text, text) == pytest.approx(1), name
            assert metric("", text) == 0, name
        if name not in (*REFERENCE_FREE, "length_ratio", "edit_similarity", "chrf"):
            assert metric("big brown foxes", text) == 0, name


def test_values_by_hand() -> None:
    text, reference = "the cat sat", "the cat ran away"
    assert text_metrics.rouge_1(text, reference) == pytest.approx(4 / 7)
    assert text_metrics.rouge_2(text, reference) == pytest.approx(2 / 5)
    assert text_metrics.rouge_l("a b c d", "a c b d") == pytest.approx(6 / 8)
    assert text_metrics.edit_similarity("abcd", "acbd") == pytest.approx(6 / 8)
    precisions = (2 / 3, 2 / 3, 1 / 2, 1 / 1)
    assert text_metrics.bleu(text, reference) == pytest.approx(math.prod(precisions) ** 0.25 * math.exp(1 - 4 / 3))
    assert text_metrics.chrf("ab", "ac", longest=1) == pytest.approx(0.5)
    assert text_metrics.jaccard(text, reference) == pytest.approx(2 / 5)
    assert text_metrics.content_recall("went away", "ran away there") == pytest.approx(1 / 2)
    assert text_metrics.length_ratio(text, reference) == 0.75
    assert (text_metrics.length(text, ""), text_metrics.distinct("a a b b", "")) == (3, 0.5)


@given(st.text("abc ", max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_the_longest_common_subsequence_is_that_of_the_table(first: str, second: list[str]) -> None:
    row = [0] * (len(second) + 1)
    for item in first:
        last = 0
        for j, other in enumerate(second, 1):
            last, row[j] = row[j], last + 1 if item == other else max(row[j], row[j - 1])
    assert common(first, second) == common(second, first) == row[-1]
