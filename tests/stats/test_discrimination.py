"""AUROC, its variance and its tests against definitions written out; average precision against scikit-learn."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from whetstone.stats import auprc, auroc, auroc_difference, auroc_test

scored = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=4, max_size=40).filter(
    lambda rows: 0 < sum(right for _, right in rows) < len(rows)
)


def kernel(scores, correct):
    """The matrix of 1 (right above wrong), 1/2 (tie) and 0 over all right-wrong pairs."""
    right = [s for s, c in zip(scores, correct, strict=True) if c]
    wrong = [s for s, c in zip(scores, correct, strict=True) if not c]
    wins = [(a > b) + (a == b) / 2 for a, b in product(right, wrong)]
    return np.array(wins).reshape(len(right), len(wrong))


def delong_covariance(first, second):
    rows = np.cov(first.mean(axis=1), second.mean(axis=1))[0, 1] / first.shape[0]
    return rows + np.cov(first.mean(axis=0), second.mean(axis=0))[0, 1] / first.shape[1]


def test_auroc_agrees_with_scikit_learn(reference, data):
    assert auroc(data["scores"], data["correct"]).value == pytest.approx(reference["auroc"], rel=1e-12)
    difference = auroc_difference(data["scores"], data["other"], data["correct"]).effect
    assert difference.value == pytest.approx(reference["auroc"] - reference["auroc_other"], rel=1e-12)


def test_variance_is_delongs(data):
    first, second = (kernel(data[name], data["correct"]) for name in ("scores", "other"))
    variance = delong_covariance(first, first)
    assert auroc(data["scores"], data["correct"]).stderr == pytest.approx(math.sqrt(variance), rel=1e-10)
    gap = variance + delong_covariance(second, second) - 2 * delong_covariance(first, second)
    found = auroc_difference(data["scores"], data["other"], data["correct"]).effect
    assert found.stderr == pytest.approx(math.sqrt(gap), rel=1e-10)


@given(scored)
def test_value_is_the_share_of_pairs_in_order(rows):
    scores, correct = zip(*rows, strict=True)
    assert auroc(scores, correct).value == pytest.approx(kernel(scores, correct).mean())


@given(scored)
def test_only_the_order_of_scores_matters(rows):
    scores, correct = zip(*rows, strict=True)
    found, moved = auroc_test(scores, correct), auroc_test(np.exp(np.array(scores) / 2) - 7, correct)
    assert found == moved


@given(scored)
def test_reversed_scores_mirror_the_result(rows):
    scores, correct = zip(*rows, strict=True)
    found, mirror = auroc_test(scores, correct), auroc_test([-score for score in scores], correct)
    low, high = found.effect.interval
    assert 0 <= low <= found.effect.value <= high <= 1
    assert low < high
    assert mirror.effect.value == pytest.approx(1 - found.effect.value)
    assert mirror.effect.interval == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert mirror.p == pytest.approx(found.p, abs=1e-9)


def test_perfect_separation_is_certain_in_value_only():
    for n in (2, 3, 10):
        found = auroc_test([0.0] * n + [1.0] * n, [0] * n + [1] * n)
        assert found.effect.value == 1
        assert found.effect.interval[1] == 1
        assert found.effect.interval[0] < 1 - 0.5 / n
        assert found.effect.stderr is None
        assert found.p == pytest.approx(2 / math.comb(2 * n, n))
    clustered = auroc_test([0.0] * 10 + [1.0] * 10, [0] * 10 + [1] * 10, groups=[i // 5 for i in range(20)])
    assert clustered.p == pytest.approx(2 / math.comb(4, 2))


def test_one_right_answer_gives_a_wide_interval():
    found = auroc_test([1, 2, 3, 4, 5, 6, 7, 5.5], [0, 0, 0, 0, 0, 0, 0, 1])
    assert found.effect.value == pytest.approx(5 / 7)
    assert found.effect.method == "newcombe"
    assert found.effect.interval[1] - found.effect.interval[0] > 0.5
    assert found.p > 0.3


@pytest.mark.parametrize("correct", [[1, 1, 1], [0, 0, 0]])
def test_one_class_is_unknown_with_a_reason(correct):
    found = auroc_test([1, 2, 3], correct)
    assert (found.effect.value, found.p) == (None, None)
    assert found.effect.note == f"only one class: {sum(correct)} right, {3 - sum(correct)} wrong"
    assert auroc_difference([1, 2, 3], [3, 2, 1], correct).effect.value is None
    assert auroc([], []).value is None


def test_equal_scores_are_worth_nothing():
    found = auroc_test([1] * 10, [0, 1] * 5)
    assert (found.effect.value, found.p) == (0.5, 1)
    assert found.effect.excludes(0.5) is False


def test_infinite_scores_are_ranked():
    assert auroc([-math.inf, 0, math.inf, 1], [0, 0, 1, 1]).value == 1


def test_a_score_does_not_differ_from_itself(data):
    found = auroc_difference(data["scores"], np.array(data["scores"]) * 3, data["correct"])
    assert (found.effect.value, found.p, found.effect.interval) == (0, 1, None)


def test_clusters_widen_the_interval_of_dependent_answers():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 10)
    correct = np.repeat(rng.random(40) < 0.5, 10)
    scores = np.repeat(rng.normal(size=40), 10) + 0.3 * rng.normal(size=400) + correct
    alone, together = auroc(scores, correct), auroc(scores, correct, groups=groups.tolist())
    assert together.value == alone.value
    assert together.stderr > 2 * alone.stderr
    single = auroc(scores[::10], correct[::10], groups=list(range(40)))
    assert single.stderr == auroc(scores[::10], correct[::10]).stderr


def test_average_precision_agrees_with_scikit_learn(reference, data):
    found = auprc(data["scores"], data["correct"])
    assert found.value == pytest.approx(reference["average_precision"], rel=1e-12)
    low, high = found.interval
    assert 0 < low < found.value < high < 1
    assert special.logit(found.value) - special.logit(low) == pytest.approx(
        special.logit(high) - special.logit(found.value)
    )


def test_average_precision_at_its_edges():
    assert auprc([1, 2], [0, 0]).note == "only one class: 0 right, 2 wrong"
    assert auprc([], []).value is None
    assert auprc([1, 2], [1, 1]).value == 1
    assert auprc([1, 2], [1, 1]).interval is None
    assert auprc([3, 3, 3, 3], [1, 0, 0, 0]).value == 0.25


@settings(max_examples=25)
@given(scored, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    for function in (auroc, lambda s, c: auprc(s, c, rounds=2)):
        values = [function(*zip(*version, strict=True)).value for version in (rows, shuffled)]
        assert values[0] == pytest.approx(values[1])


def test_answers_without_a_group_are_treated_as_independent(data):
    alone = auroc_test(data["scores"], data["correct"])
    assert auroc_test(data["scores"], data["correct"], groups=[""] * len(data["scores"])) == alone
