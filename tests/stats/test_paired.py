"""Paired tests: against other packages, against each other, and their symmetries and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import auroc_difference, mcnemar, paired_bootstrap, paired_permutation, paired_t, sign_test

TESTS = [paired_bootstrap, paired_permutation, paired_t, mcnemar, sign_test]
pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def outcomes(wins, losses, ties=10):
    return [1] * wins + [0] * losses + [1] * ties, [0] * wins + [1] * losses + [1] * ties


def test_mcnemar_agrees_with_statsmodels(reference):
    for case in reference["mcnemar"]:
        found = mcnemar(*outcomes(case["wins"], case["losses"]), form="exact")
        assert found.p == pytest.approx(case["exact"], rel=1e-12)
        assert (found.wins, found.losses, found.ties) == (case["wins"], case["losses"], 10)


def test_mid_p_is_the_exact_p_less_the_chance_of_what_was_seen():
    # 1 of 8 discordant pairs: 2 * (1 + 8) / 256 - 8 / 256
    assert mcnemar(*outcomes(7, 1, 13)).p == pytest.approx(10 / 256)
    assert mcnemar(*outcomes(7, 1, 13), form="exact").p == pytest.approx(18 / 256)
    assert mcnemar(*outcomes(4, 4)).p == 1
    assert mcnemar(*outcomes(0, 0)).p == 1


def test_bonett_price_interval_by_hand():
    found = mcnemar(*outcomes(7, 1, 13))
    up, down, z = 8 / 23, 2 / 23, 1.959963984540054
    half = z * math.sqrt((up + down - (up - down) ** 2) / 23)
    assert found.effect.interval == pytest.approx((up - down - half, up - down + half), rel=1e-12)
    assert found.effect.value == 6 / 21


def test_sign_test_agrees_with_scipy(reference):
    for case in reference["sign_test"]:
        found = sign_test(*outcomes(case["wins"], case["losses"]))
        assert found.p == pytest.approx(case["p"], rel=1e-9)
        assert found.effect.interval == pytest.approx(case["interval"], rel=1e-9)


def test_permutation_agrees_with_scipy_over_all_patterns(reference, data):
    values = data["values"]
    assert paired_permutation(values[:12], values[12:24]).p == pytest.approx(reference["paired_permutation"]["p"])


@settings(max_examples=50)
@given(pairs)
def test_swapping_the_systems_swaps_the_result(pair_list):
    first, second = zip(*pair_list, strict=True)
    for test in (mcnemar, paired_permutation):
        there, back = test(first, second), test(second, first)
        assert there.effect.value == -back.effect.value
        assert there.p == pytest.approx(back.p, abs=0.05 if test is paired_permutation else 1e-12)
        assert (there.wins, there.losses) == (back.losses, back.wins)
    assert sign_test(first, second).p == sign_test(second, first).p == mcnemar(first, second, form="exact").p


@settings(max_examples=50)
@given(pairs)
def test_p_lies_within_bounds_and_the_interval_holds_the_effect(pair_list):
    first, second = zip(*pair_list, strict=True)
    for test in TESTS:
        found = test(first, second)
        assert found.p is None or 0 < found.p <= 1
        if found.effect.interval and test is not mcnemar:  # its interval is centred a little towards 0
            low, high = found.effect.interval
            assert low - 1e-9 <= found.effect.value <= high + 1e-9


def test_right_and_wrong_data_give_all_tests_the_same_verdict():
    rng = np.random.default_rng(5)
    before = rng.random(400) < 0.5
    after = np.where(before, rng.random(400) < 0.9, rng.random(400) < 0.3)
    p = [test(after, before).p for test in TESTS]
    assert max(p) < 0.001
    low, high = paired_bootstrap(after, before).effect.interval
    assert mcnemar(after, before).effect.interval == pytest.approx((low, high), abs=0.006)


def test_the_bootstrap_p_inverts_its_interval():
    rng = np.random.default_rng(11)
    for shift in (0.1, 0.2, 0.25, 0.3, 0.4):
        first, second = rng.normal(size=40) + shift, rng.normal(size=40)
        found = paired_bootstrap(first, second, rounds=4000)
        assert (found.p < 0.05) == found.effect.excludes(0) or abs(found.p - 0.05) < 0.005


def test_copies_of_an_item_in_one_cluster_are_no_evidence():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=12) + 0.5, rng.normal(size=12)
    groups = np.repeat(np.arange(12), 5).tolist()
    for test in (paired_bootstrap, paired_permutation, paired_t):
        single, copied = test(first, second), test(np.repeat(first, 5), np.repeat(second, 5), groups=groups)
        assert copied.p == pytest.approx(single.p, rel=1e-6)
        assert copied.effect.interval == pytest.approx(single.effect.interval)
        assert "cluster" in copied.method


def test_many_real_differences_use_random_patterns():
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=300), rng.normal(size=300)
    found = paired_permutation(first, second, rounds=20_000)
    spread = found.effect.value / found.effect.stderr
    assert found.p == pytest.approx(math.erfc(abs(spread) / math.sqrt(2)), abs=0.015)
    assert found == paired_permutation(first, second, rounds=20_000)
    assert paired_permutation(first + 5, second).p == pytest.approx(1 / 10_001)


@pytest.mark.parametrize("test", TESTS)
def test_no_pairs_are_unknown(test):
    found = test([], [])
    assert (found.effect.value, found.effect.interval, found.effect.n, found.p) == (None, None, 0, None)


@pytest.mark.parametrize("test", TESTS)
def test_equal_answers_are_no_evidence(test):
    found = test([1, 0, 1], [1, 0, 1])
    assert found.p == 1
    assert (found.wins, found.losses, found.ties) == (0, 0, 3)


def test_one_pair_proves_nothing():
    for test in (paired_permutation, mcnemar, sign_test):
        assert test([1], [0]).p >= 0.5
    assert paired_bootstrap([1], [0]).p is None
    assert paired_bootstrap([1, 1], [0, 0]).effect.interval is None


@pytest.mark.parametrize("test", TESTS)
def test_wrong_arguments_are_named(test):
    with pytest.raises(ValueError, match="treatment 1, baseline 2"):
        test([1], [1, 0])
    with pytest.raises(ValueError, match="baseline holds unknown values"):
        test([1, 0], [1, None])


def test_mcnemar_wants_right_or_wrong():
    with pytest.raises(ValueError, match="true or false"):
        mcnemar([0.5], [1])
    with pytest.raises(ValueError, match="correct 3"):
        auroc_difference([1, 2], [1, 2], [1, 0, 1])


@pytest.mark.parametrize("test", [paired_bootstrap, paired_permutation, paired_t])
def test_pairs_without_a_group_are_treated_as_independent(test):
    first, second = outcomes(7, 1, 13)
    assert test(first, second, groups=[""] * 21) == test(first, second)


def test_t_agrees_with_scipy_and_statsmodels(comparison):
    data = comparison["data"]
    alone = paired_t(data["treatment"], data["baseline"])
    assert (alone.statistic, alone.p) == pytest.approx((comparison["paired_t"]["t"], comparison["paired_t"]["p"]))
    assert alone.effect.interval == pytest.approx(comparison["paired_t"]["interval"])
    known = comparison["paired_clustered_t"]
    clustered = paired_t(data["treatment"], data["baseline"], groups=data["groups"])
    assert (clustered.statistic, clustered.p) == pytest.approx((known["t"], known["p"]))


def test_chi_square_agrees_with_statsmodels(comparison):
    for case in comparison["mcnemar_chi_square"]:
        found = mcnemar(*outcomes(case["wins"], case["losses"]), form="chi-square")
        assert (found.statistic, found.p) == pytest.approx((case["statistic"], case["p"]), rel=1e-10)
    assert mcnemar(*outcomes(4, 4), form="chi-square").p == 1
    assert mcnemar(*outcomes(0, 0), form="chi-square").statistic == 0


def test_real_differences_that_are_all_equal_have_no_spread():
    assert paired_t([2.5, 3.5], [2.5, 3.5]).p == 1
    assert paired_t([2.5, 3.5], [1.5, 2.5]).p is None
    assert paired_t([2.5], [1.5]).p is None


@pytest.mark.parametrize("test", [paired_bootstrap, paired_permutation, paired_t, sign_test])
def test_rounding_is_neither_a_difference_nor_a_spread(test):
    same = test([0.1 + 0.2] * 9 + [0.5], [0.3] * 9 + [0.5])
    assert (same.p, same.ties) == (1, 10)
    constant = [0.2, 0.3, 0.1, 1.0], [0.1, 0.2, 0.0, 0.9]
    if test is paired_t:
        assert test(*constant).p is None
    if test is not sign_test:
        assert test(*constant).effect.interval is None
