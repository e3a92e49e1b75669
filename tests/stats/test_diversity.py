"""Distinct answers and their entropy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.stats import distinct_share, entropy, mean_distinct_share, mean_entropy

answers = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=20)


def test_entropy_agrees_with_scipy(reference):
    assert entropy(list("aaabbc")) == pytest.approx(reference["entropy_3_2_1"])
    assert entropy(list("aaabbc"), corrected=True) == pytest.approx(reference["entropy_3_2_1"] + 2 / 12)


@given(answers)
def test_bounds(sampled):
    known = [answer for answer in sampled if answer is not None]
    if not known:
        assert distinct_share(sampled) is None
        assert entropy(sampled) is None
        return
    assert 1 / len(known) <= distinct_share(sampled) <= 1
    assert 0 <= entropy(sampled) <= math.log(len(set(known))) + 1e-12
    assert (entropy(sampled) == 0) == (len(set(known)) == 1)


def test_means_name_the_questions_without_an_answer():
    questions = [["a", "b"], ["a", "a"], [None, None], ["a", None]]
    share, spread = mean_distinct_share(questions), mean_entropy(questions)
    assert (share.value, share.n) == (pytest.approx((1 + 0.5 + 1) / 3), 3)
    assert (spread.value, spread.n) == (pytest.approx(math.log(2) / 3), 3)
    assert share.note == spread.note == "1 questions without a readable answer"
    assert share.interval[0] < share.value < share.interval[1]


def test_groups_follow_the_questions_that_remain():
    questions, groups = [["a"], [None], ["a", "b"], ["b", "b"]], ["x", "x", "y", "z"]
    kept = [["a"], ["a", "b"], ["b", "b"]]
    assert mean_entropy(questions, groups=groups).interval == mean_entropy(kept, groups=["x", "y", "z"]).interval


def test_no_questions_are_unknown():
    assert mean_distinct_share([]).value is None
    assert mean_entropy([[None]]).value is None
