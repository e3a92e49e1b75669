"""Equivalence tests: against statsmodels, against brute force, and what they may never claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from whetstone.stats import tango, tango_interval, tost

counts = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60)).filter(lambda c: sum(c) > 1)


def outcomes(wins, losses, ties):
    return [1] * wins + [0] * losses + [1] * ties, [0] * wins + [1] * losses + [1] * ties


def test_real_scores_agree_with_statsmodels(comparison):
    known, data = comparison["tost"], comparison["data"]
    found = tost(data["treatment"], data["baseline"], tuple(known["margins"]))
    assert found.p == pytest.approx(known["p"], rel=1e-9)
    assert found.p_below == pytest.approx(known["below"], rel=1e-9)
    assert found.p_above == pytest.approx(known["above"], rel=1e-9)
    assert found.equivalent is (known["p"] < 0.05)


@settings(max_examples=40, deadline=None)
@given(counts, st.floats(-0.6, 0.6))
def test_the_score_statistic_maximises_the_likelihood_under_its_null(table, difference):
    """The share of losses that Tango's formula finds is the maximum likelihood one, found here by search."""
    wins, losses, ties = table
    n = wins + losses + ties

    def minus_log_likelihood(lost):
        shares = np.array([lost + difference, lost, 1 - 2 * lost - difference])
        seen = np.array([wins, losses, ties])
        return -float(np.sum(seen[seen > 0] * np.log(np.maximum(shares[seen > 0], 1e-300))))

    low, high = max(0.0, -difference), (1 - difference) / 2
    lost = optimize.minimize_scalar(
        minus_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    ).x
    variance = 2 * lost + difference * (1 - difference)
    if variance > 1e-4:
        assert tango(wins, losses, n, difference) == pytest.approx(
            (wins - losses - n * difference) / np.sqrt(n * variance), rel=2e-3, abs=2e-3
        )


@settings(max_examples=40, deadline=None)
@given(counts, st.floats(0.02, 0.5))
def test_both_tests_reject_exactly_where_the_interval_is_inside(table, margin):
    found = tost(*outcomes(*table), margin)
    low, high = found.effect.interval
    assert -1 <= low <= found.effect.value <= high <= 1
    gap = min(abs(low + margin), abs(high - margin))
    assert found.equivalent is (-margin < low and high < margin) or gap < 1e-6


@settings(max_examples=40, deadline=None)
@given(counts)
def test_swapping_the_systems_mirrors_the_interval(table):
    wins, losses, ties = table
    low, high = tango_interval(wins, losses, wins + losses + ties)
    there, back = tango_interval(losses, wins, wins + losses + ties)
    assert (low, high) == pytest.approx((-back, -there), abs=1e-6)


def test_without_a_single_difference_few_items_are_not_enough():
    few, many = tost(*outcomes(0, 0, 20), 0.05), tost(*outcomes(0, 0, 200), 0.05)
    assert few.equivalent is False
    assert many.equivalent is True
    assert few.effect.interval[1] > 0.05 > many.effect.interval[1]


def test_a_true_difference_at_the_margin_is_called_equivalent_no_more_often_than_alpha():
    rng = np.random.default_rng(3)
    claims = {"score": 0, "t": 0}
    for _ in range(1000):
        wins, losses, ties = rng.multinomial(80, [0.2, 0.1, 0.7])
        claims["score"] += bool(tost(*outcomes(wins, losses, ties), 0.1).equivalent)
        claims["t"] += bool(tost(rng.normal(0.3, 1, 40), np.zeros(40), 0.3).equivalent)
    assert max(claims.values()) <= 65


def test_clusters_widen_it():
    rng = np.random.default_rng(5)
    a, b = rng.random(60) < 0.6, rng.random(60) < 0.6
    groups = np.repeat(np.arange(60), 4)
    single, copied = (
        tost(a.astype(float) + 1, b.astype(float) + 1, 0.2),
        tost(np.repeat(a, 4), np.repeat(b, 4), 0.2, groups=groups),
    )
    assert copied.p == pytest.approx(single.p, rel=1e-9)


def test_what_is_undefined_is_none():
    assert tost([], [], 0.1).equivalent is None
    constant = tost([1.5, 2.5, 3.5], [1.5, 2.5, 3.5], 0.1)
    assert constant.p is None
    assert constant.equivalent is None
    assert constant.effect.note


@pytest.mark.parametrize("margin", [0, -0.1, (0.1, 0.1), float("nan")])
def test_a_margin_must_have_width(margin):
    with pytest.raises(ValueError, match="margin"):
        tost([1, 0], [0, 1], margin)
