"""pass@k and majority@k against enumeration of all subsets."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import majority_at_k, pass_at_k, wilson


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(case):
    n, right, k = case
    expected = 1 - comb(n - right, k) / comb(n, k)
    assert pass_at_k([right], n, k).value == pytest.approx(expected, abs=1e-12)


def test_pass_at_k_of_many_samples_does_not_overflow():
    assert pass_at_k([1], 10_000, 5000).value == pytest.approx(0.5)
    assert pass_at_k([0, 10_000], 10_000, 9999).value == 0.5


def test_pass_at_1_is_accuracy():
    right, samples = [1, 4, 0, 2], [4, 4, 8, 2]
    assert pass_at_k(right, samples, 1).value == pytest.approx(np.mean([0.25, 1, 0, 1]))
    assert pass_at_k([1, 0, 1], 1, 1) == wilson(2, 3)


def test_pass_at_k_has_an_interval_by_cluster():
    rng = np.random.default_rng(0)
    chance = np.repeat(rng.random(30), 4)
    right, groups = rng.binomial(16, chance), np.repeat(np.arange(30), 4).tolist()
    alone, together = pass_at_k(right, 16, 4), pass_at_k(right, 16, 4, groups=groups)
    assert together.value == alone.value
    assert together.stderr > 1.5 * alone.stderr


def enumerated(votes, marks, k):
    truth, chances = dict(zip(votes, marks, strict=True)), []
    for subset in combinations(range(len(votes)), k):
        tally = Counter(votes[i] for i in subset if votes[i] is not None)
        winners = [vote for vote, count in tally.items() if count == max(tally.values())]
        chances.append(np.mean([truth[vote] for vote in winners]) if winners else 0)
    return np.mean(chances)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=7), st.integers(1, 7))
def test_majority_is_the_share_of_subsets_whose_plurality_is_right(votes, k):
    k = min(k, len(votes))
    marks = [vote == "a" for vote in votes]
    found = majority_at_k([votes], [marks], k, rounds=3000).value
    expected = enumerated(votes, marks, k)
    assert found == pytest.approx(expected, abs=1e-9 if k == len(votes) else 0.05)


def test_majority_by_hand():
    votes = [["7", "7", "3", None], ["1", "2", "3", "3"], [None] * 4, ["1", "1", "2", "2"]]
    marks = [[1, 1, 0, 0], [1, 0, 0, 0], [0] * 4, [1, 1, 0, 0]]
    found = majority_at_k(votes, marks, 4)
    assert (found.value, found.n) == ((1 + 0 + 0 + 0.5) / 4, 4)
    assert majority_at_k(votes, marks, 3, seed=1) == majority_at_k(votes, marks, 3, seed=1)


def test_too_few_samples_are_unknown_with_a_reason():
    assert pass_at_k([1, 1], [8, 4], 8).note == "1 questions have fewer than 8 samples"
    assert majority_at_k([["1"]], [[1]], 2).value is None
    assert pass_at_k([], 8, 4).value is None
    assert majority_at_k([], [], 4).value is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k([1], 4, 0), "k must be at least 1"),
        (lambda: pass_at_k([5], 4, 1), "between 0 and samples"),
        (lambda: pass_at_k([1], [4, 4], 1), "lengths differ"),
        (lambda: majority_at_k([["1", "1"]], [[1, 0]], 2), "both right and wrong"),
        (lambda: majority_at_k([["1", "1"]], [[1]], 2), "lengths differ"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
