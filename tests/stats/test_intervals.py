"""Closed-form intervals against other packages' numbers, their edges and their symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.stats import clopper_pearson, clustered_mean, mean, proportion, wilson
from whetstone.stats.intervals import unmoved

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_proportions_agree_with_statsmodels(reference):
    for case in reference["proportions"]:
        for function in (wilson, clopper_pearson):
            found = function(case["successes"], case["n"], level=case["level"])
            assert found.interval == pytest.approx(case[function.__name__], abs=1e-12)
            assert found.value == case["successes"] / case["n"]


def test_means_agree_with_scipy_and_statsmodels(reference, data):
    for found, expected in (
        (mean(data["values"]), reference["mean"]),
        (clustered_mean(data["values"], data["groups"]), reference["clustered_mean"]),
    ):
        assert found.stderr == pytest.approx(expected["stderr"], rel=1e-12)
        assert found.interval == pytest.approx(expected["interval"], rel=1e-12)


def test_no_change_in_few_items_leaves_much_open():
    assert unmoved(0) == (-1, 1)
    assert unmoved(20) == (-wilson(0, 20).interval[1], wilson(0, 20).interval[1])


@given(counts)
def test_wilson_holds_its_value_mirrors_and_lies_within_bounds(pair):
    k, n = pair
    found, mirror, exact = wilson(k, n), wilson(n - k, n), clopper_pearson(k, n)
    low, high = found.interval
    assert 0 <= low <= found.value <= high <= 1
    assert low < high
    assert mirror.interval == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert exact.interval[0] <= found.value <= exact.interval[1]


@given(counts)
def test_a_higher_level_is_wider(pair):
    narrow, wide = wilson(*pair, level=0.8).interval, wilson(*pair, level=0.99).interval
    assert wide[0] <= narrow[0]
    assert narrow[1] <= wide[1]


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_proportion_without_groups_is_wilson(values):
    expected = wilson(sum(values), len(values))
    assert proportion(values) == expected
    assert proportion(values, groups=[""] * len(values)) == expected
    assert proportion(values, groups=list(range(len(values)))) == expected


@given(st.lists(st.booleans(), min_size=3, max_size=30), st.integers(2, 6))
def test_repeating_each_answer_within_its_group_adds_no_information(values, copies):
    groups = [i for i in range(len(values)) for _ in range(copies)]
    repeated = proportion(np.repeat(values, copies), groups=groups)
    single = wilson(sum(values), len(values)).interval
    assert repeated.value == pytest.approx(np.mean(values))
    assert repeated.interval[1] - repeated.interval[0] >= (single[1] - single[0]) * 0.999


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30, unique=True), st.floats(-50, 50), st.floats(0.1, 10))
def test_mean_moves_and_scales_with_its_values(values, shift, scale):
    before, after = mean(values), mean([shift + scale * value for value in values])
    if before.interval is None or after.interval is None:
        return
    assert after.interval == pytest.approx([shift + scale * limit for limit in before.interval], abs=1e-6)


@pytest.mark.parametrize("function", [proportion, mean])
def test_no_values_are_unknown(function):
    found = function([])
    assert (found.value, found.interval, found.n, found.stderr) == (None, None, 0, None)
    assert found.note


def test_what_the_data_cannot_show_is_unknown():
    assert wilson(0, 0).value is None
    assert clopper_pearson(0, 0).value is None
    assert mean([3.0]).interval is None
    assert mean([3.0, 3.0, 3.0]).stderr is None
    assert clustered_mean([1.0, 2.0], ["a", "a"]).interval is None
    assert proportion([1, 0, 1], groups=["a"] * 3).interval is None
    assert proportion([0.25]).interval is None
    assert wilson(20, 20).stderr is None


def test_all_right_still_leaves_doubt():
    assert proportion([1] * 20).interval == wilson(20, 20).interval
    low, high = proportion([1] * 20, groups=[i // 4 for i in range(20)]).interval
    assert high == 1
    assert low < wilson(5, 5).interval[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson(3, 2), "between 0 and n"),
        (lambda: wilson(-1, 2), "between 0 and n"),
        (lambda: mean([1.0, None]), "unknown values"),
        (lambda: mean([1.0, float("nan")]), "not finite"),
        (lambda: mean([1.0, float("inf")]), "not finite"),
        (lambda: mean([[1.0], [2.0]]), "one-dimensional"),
        (lambda: proportion([0.5, 1.5]), "between 0 and 1"),
        (lambda: clustered_mean([1.0, 2.0], ["a"]), "lengths differ: groups 1, values 2"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
