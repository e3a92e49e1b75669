"""Elo ratings and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking._majority import cycles, established
from whetstone.ranking._replay import replay, replay_orders
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.elo import elo
from whetstone.ranking.elo_reliability import elo_reliability

NAMES = ("a", "b", "c", "d", "e")
RATE = np.log(10) / 400


def chances(strengths):
    return 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))


def drawn(chance, n, seed=0):
    """Comparisons of random pairs whose left wins with the chance [k, k] given."""
    rng = np.random.default_rng(seed)
    left = rng.integers(len(chance), size=n)
    right = (left + rng.integers(1, len(chance), size=n)) % len(chance)
    outcome = np.where(rng.random(n) < chance[left, right], 1, -1)
    return Comparisons(NAMES[: len(chance)], left, right, outcome)


def test_finds_the_planted_order():
    found = elo(drawn(chances(np.linspace(1, -1, 5)), 3000), orders=20)
    assert [NAMES[i] for i in found.order] == list(NAMES)
    assert found.scores.mean() == pytest.approx(1000)


def test_one_match_moves_both_by_half_of_k():
    one = Comparisons(("x", "y"), np.array([0]), np.array([1]), np.array([1]))
    assert elo(one, k_factor=32).scores.tolist() == [1016.0, 984.0]
    assert elo(Comparisons(("x", "y"), one.left, one.right, np.array([0])), k_factor=32).scores.tolist() == [1000.0] * 2
    heavy = Comparisons(("x", "y"), one.left, one.right, one.outcome, np.array([0.5]))
    assert elo(heavy, k_factor=32).scores.tolist() == [1008.0, 992.0]


def test_many_orders_at_once_are_the_same_as_one_after_the_other():
    comparisons = drawn(chances(np.linspace(1, -1, 4)), 60)
    gains = (1.0, 8.0, 32.0)
    together = replay_orders(comparisons, gains, orders=20, start=1000, rate=RATE, seed=3)
    rng = np.random.default_rng(3)
    for run in range(20):
        shuffled = comparisons.take(rng.permutation(60))
        for which, gain in enumerate(gains):
            assert together[which, run] == pytest.approx(replay(shuffled, gain, start=1000, rate=RATE), abs=1e-9)


def test_averaging_over_orders_does_not_depend_on_the_order_of_the_rows():
    comparisons = drawn(chances(np.linspace(1, -1, 4)), 400)
    backwards = comparisons.take(np.arange(400)[::-1])
    assert np.abs(elo(comparisons, k_factor=32).scores - elo(backwards, k_factor=32).scores).max() > 10
    ours, theirs = (elo(c, k_factor=32, orders=2000).scores for c in (comparisons, backwards))
    assert ours == pytest.approx(theirs, abs=4)


def test_reliability_finds_a_planted_cycle_and_none_where_there_is_none():
    chance = chances(np.linspace(0.9, -0.9, 5))
    honest = elo_reliability(drawn(chance, 3000))
    assert honest.cycles == ()
    assert not any(honest.contradicted)
    assert honest.triples == 10
    for winner, loser in ((0, 1), (1, 2), (2, 0)):
        chance[winner, loser], chance[loser, winner] = 0.7, 0.3
    found = elo_reliability(drawn(chance, 3000))
    assert [set(cycle) for cycle in found.cycles] == [{"a", "b", "c"}]
    assert "a > b > c > a" in " ".join(found.notes)
    assert any(found.contradicted)


def test_no_cycle_is_claimed_among_equal_systems():
    level = np.full((5, 5), 0.5)
    claimed = sum(bool(elo_reliability(drawn(level, 500, seed), orders=2).cycles) for seed in range(100))
    assert claimed <= 5


def test_smaller_k_is_steadier_and_ratings_of_close_systems_are_not():
    close = elo_reliability(drawn(chances(np.array([0.05, 0.0, -0.05])), 600), seed=1)
    assert (np.diff(close.deviations.mean(axis=1)) > 0).all()
    apart = elo_reliability(drawn(chances(np.array([2.0, 0.0, -2.0])), 600))
    assert apart.agreement.min() > 0.99
    assert close.agreement[-1] < 0.9
    assert close.same_ranking[-1] < close.same_ranking[0] + 0.05


def test_recommends_a_larger_k_where_ratings_have_far_to_go():
    few_and_far = elo_reliability(drawn(chances(np.array([3.0, 1.0, -1.0, -3.0])), 150))
    many_and_close = elo_reliability(drawn(chances(np.array([0.1, 0.0, -0.1])), 3000))
    assert few_and_far.k_factor > many_and_close.k_factor
    assert many_and_close.orders >= 100


def test_recommended_orders_hold_the_mean_within_the_tolerance():
    comparisons = drawn(chances(np.linspace(0.5, -0.5, 3)), 200)
    settings = elo_reliability(comparisons, tolerance=3.0)
    means = [elo(comparisons, k_factor=settings.k_factor, orders=settings.orders, seed=s).scores for s in range(40)]
    assert np.mean(np.abs(means - np.mean(means, axis=0)) > 3.0) <= 0.08


def test_broken_triples_are_those_that_the_ratings_reverse():
    beaten_by_luck = Comparisons(
        ("x", "y", "z"),
        np.array([0, 0, 0, 1, 1, 1, 0, 0, 0] + [2] * 9),
        np.array([1, 1, 1, 2, 2, 2, 2, 2, 2] + [1] * 4 + [0] * 5),
        np.array([1, 1, -1] * 3 + [-1] * 9),
    )
    report = elo_reliability(beaten_by_luck, orders=4)
    assert report.triples == 1
    assert set(report.broken_triples) == {0}


def test_established_needs_evidence_and_counts_effective_weight():
    few = Comparisons(("x", "y"), np.zeros(4, int), np.ones(4, int), np.ones(4, int))
    assert not established(count(few)).any()
    many = Comparisons(("x", "y"), np.zeros(40, int), np.ones(40, int), np.ones(40, int))
    assert established(count(many)).tolist() == [[False, True], [False, False]]
    one_heavy = np.array([1000.0, *[0.001] * 39])
    assert not established(count(Comparisons(("x", "y"), many.left, many.right, many.outcome, one_heavy))).any()


def test_a_cycle_is_named_once_and_shortest():
    beats = np.zeros((5, 5), bool)
    for i, j in ((0, 1), (1, 2), (2, 3), (3, 0), (2, 0), (3, 4)):
        beats[i, j] = True
    assert [sorted(cycle) for cycle in cycles(beats)] == [[0, 1, 2]]


@pytest.mark.parametrize("options", [{"orders": 1}, {"k_factors": ()}, {"k_factors": (0.0,)}])
def test_settings_that_make_no_sense(options):
    comparisons = drawn(chances(np.zeros(3)), 10)
    with pytest.raises(ConfigError, match="two orders"):
        elo_reliability(comparisons, **options)
    with pytest.raises(ConfigError, match="k_factor"):
        elo(comparisons, k_factor=-1.0)
