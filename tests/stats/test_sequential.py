"""Anytime-valid tests: they hold their level under peeking, they find what is there, and order hardly matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import betting, paired_anytime, paired_t
from whetstone.stats.sequential import FRACTIONS


def outcomes(rng, n, shares):
    return rng.choice([1.0, -1.0, 0.0], size=n, p=shares)


def peeking(rng, n, shares, *, runs=300):
    """Share of runs in which the null is ever rejected, and in which the limits ever leave the truth out."""
    truth = shares[0] - shares[1]
    rejected = missed = 0
    for _ in range(runs):
        found = betting(outcomes(rng, n, shares), bounds=(-1, 1))
        rejected += found.stopped is not None
        missed += bool(np.any((found.low > truth) | (found.high < truth)))
    return rejected / runs, missed / runs


@pytest.mark.parametrize("shares", [(0.1, 0.1, 0.8), (0.5, 0.5, 0.0), (0.01, 0.01, 0.98)])
def test_looking_after_every_item_keeps_the_level(shares):
    rejected, missed = peeking(np.random.default_rng(1), 400, shares)
    assert rejected <= 0.05
    assert missed <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("shares", [(0.1, 0.1, 0.8), (0.3, 0.1, 0.6), (0.02, 0.02, 0.96)])
def test_looking_for_long_keeps_the_level(shares):
    rejected, missed = peeking(np.random.default_rng(2), 20_000, shares, runs=500)
    assert missed <= 0.05
    assert (rejected <= 0.05) if shares[0] == shares[1] else (rejected == 1.0)


def test_a_fixed_test_that_peeks_does_not():
    """Why the anytime-valid test exists."""
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(200):
        values = outcomes(rng, 400, (0.1, 0.1, 0.8))
        rejected += any((paired_t(values[:n], np.zeros(n)).p or 1) < 0.05 for n in range(20, 401, 20))
    assert rejected / 200 > 0.12


def test_the_capital_is_the_mean_of_what_each_bet_earns():
    values = np.array([1.0, -1, 1, 0, 1, 1])
    found = betting(values, bounds=(-1, 1))
    by_hand = np.mean([np.cumprod(1 + sign * f * values) for f in FRACTIONS for sign in (1, -1)], axis=0)
    assert found.e == pytest.approx(by_hand, rel=1e-12)
    assert found.p == pytest.approx(min(1, 1 / by_hand.max()))


def test_every_expected_growth_is_one_under_the_null():
    """The e-value is fair: over all sequences of equally likely wins and losses its mean is 1."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1).T
    assert np.mean([betting(row, bounds=(-1, 1)).e[-1] for row in signs]) == pytest.approx(1, rel=1e-12)


def test_a_clear_difference_is_found_early_and_the_limits_close_in():
    rng = np.random.default_rng(3)
    found = betting(outcomes(rng, 4000, (0.2, 0.1, 0.7)), bounds=(-1, 1))
    assert found.stopped is not None
    assert found.stopped < 2000
    assert found.p < 1e-6
    low, high = found.interval
    assert low <= found.value <= high
    assert high - low < 0.08
    assert (np.diff(found.low) >= 0).all()
    assert (np.diff(found.high) <= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1, 1), min_size=1, max_size=40))
def test_swapping_the_systems_swaps_the_result(signs):
    values = np.array(signs, float)
    there, back = betting(values, bounds=(-1, 1)), betting(-values, bounds=(-1, 1))
    assert there.e == pytest.approx(back.e, rel=1e-9)
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]), abs=1e-9)
    assert there.interval[0] <= there.value <= there.interval[1]


def test_scale_and_shift_do_not_matter():
    rng = np.random.default_rng(5)
    a, b = rng.random(200), rng.random(200)
    plain = paired_anytime(a, b)
    scaled = paired_anytime(1 + 9 * a, 1 + 9 * b, bounds=(1, 10))
    assert scaled.p == pytest.approx(plain.p, rel=1e-9)
    assert scaled.effect.interval == pytest.approx([9 * x for x in plain.effect.interval], rel=1e-6)


def test_clusters_count_once_in_the_order_of_their_first_item():
    rng = np.random.default_rng(6)
    a, b = rng.random(30), rng.random(30)
    single = paired_anytime(a, b)
    copied = paired_anytime(np.tile(a, 3), np.tile(b, 3), groups=[f"g{29 - i % 30}" for i in range(90)])
    numbered = paired_anytime(np.tile(a, 3), np.tile(b, 3), groups=np.tile(np.arange(30)[::-1], 3))
    assert copied.p == numbered.p == pytest.approx(single.p, rel=1e-9)
    assert copied.effect.n == 90
    assert "clusters" in copied.effect.note


def test_items_that_are_not_in_random_order_are_noticed():
    wins = np.repeat([1.0, 0.0], 200)
    sorted_out = paired_anytime(wins, np.zeros(400))
    assert sorted_out.effect.interval is None
    assert "not in random order" in sorted_out.effect.note
    mixed = paired_anytime(np.random.default_rng(1).permutation(wins), np.zeros(400))
    assert mixed.effect.interval[0] < 0.5 < mixed.effect.interval[1]


def test_edges():
    nothing = paired_anytime([], [])
    assert (nothing.p, nothing.effect.value, nothing.effect.n) == (None, None, 0)
    empty = betting([], bounds=(-1, 1))
    assert (empty.p, empty.interval, empty.stopped, empty.value) == (None, None, None, None)
    assert paired_anytime([1], [1]).p == 1
    assert betting([1.0] * 50, bounds=(-1, 1)).interval[1] == 1
    with pytest.raises(ValueError, match="within -1 and 1"):
        paired_anytime([3, 1], [1, 1])
    with pytest.raises(ValueError, match="bounds must lie around 0"):
        betting([1.0], bounds=(0, 1))
