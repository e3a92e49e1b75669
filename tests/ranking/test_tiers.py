"""Ranks and tiers: right all at once, and as fine as the data allow."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.ranking.tiers import noise, ranks, separate, tiers


def run(scores: list[float], spread: float = 1.0, **options: object) -> np.ndarray:
    covariance = np.eye(len(scores)) * spread**2
    errors = noise(covariance, draws=4000, seed=1)
    return separate(np.array(scores), covariance, errors, **options).better  # type: ignore[arg-type]


def test_two_systems_need_the_normal_quantile() -> None:
    errors = noise(np.eye(2), draws=100_000, seed=0)
    assert separate(np.zeros(2), np.eye(2), errors).critical == pytest.approx(1.96, abs=0.02)


def test_three_equal_systems_need_tukeys_quantile() -> None:
    errors = noise(np.eye(3), draws=100_000, seed=0)
    assert separate(np.zeros(3), np.eye(3), errors).critical == pytest.approx(3.314 / 2**0.5, abs=0.02)


def test_few_degrees_of_freedom_need_more() -> None:
    errors = noise(np.eye(3), draws=100_000, seed=0, freedom=10)
    assert separate(np.zeros(3), np.eye(3), errors).critical == pytest.approx(3.877 / 2**0.5, abs=0.03)


def test_far_scores_are_told_apart_and_near_ones_are_not() -> None:
    better = run([0.0, 20.0, 0.5, 40.0])
    assert better.tolist() == [
        [False, False, False, False],
        [True, False, True, False],
        [False, False, False, False],
        [True, True, True, False],
    ]
    low, high = ranks(better)
    assert low.tolist() == [3, 2, 3, 1]
    assert high.tolist() == [4, 2, 4, 1]
    assert tiers(better).tolist() == [3, 2, 3, 1]


def test_decided_pairs_leave_the_family() -> None:
    gap = 3.55
    alone, crowd = run([0.0, gap, 1000.0, 2000.0]), run([0.0, gap, gap, gap, gap, gap])
    assert alone[1, 0]
    assert not crowd[1, 0]


def test_unconnected_systems_are_never_told_apart() -> None:
    better = run([0.0, 20.0, 40.0], part=np.array([0, 0, 1]))
    assert better[1, 0]
    assert not better[2].any()


def test_an_uncertain_system_shares_the_best_tier_it_could_be_in() -> None:
    covariance = np.diag([1.0, 1.0, 1e4])
    errors = noise(covariance, draws=2000, seed=0)
    better = separate(np.array([20.0, 0.0, -5.0]), covariance, errors).better
    assert tiers(better).tolist() == [1, 2, 1]


def test_tiers_hold_no_decided_pair_and_are_as_few_as_possible() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.normal(0, 4, 8)
        better = run(scores.tolist(), spread=float(rng.uniform(0.2, 2)))
        tier = tiers(better)
        assert not any(better[i, j] for i in range(8) for j in range(8) if tier[i] == tier[j])
        assert all(tier[i] < tier[j] for i in range(8) for j in range(8) if better[i, j])
        assert all(any(better[i, j] and tier[i] == tier[j] - 1 for i in range(8)) for j in range(8) if tier[j] > 1)


def test_family_wise_error_is_kept_with_any_number_of_equal_systems() -> None:
    rng = np.random.default_rng(3)
    levels = np.repeat([0.0, 3.0, 30.0], 4)
    root = rng.normal(0, 1, (12, 12)) / 4 + np.eye(12)
    covariance = root @ root.T
    errors = noise(covariance, draws=2000, seed=0)
    wrong = tier_wrong = 0
    trials = 500
    for _ in range(trials):
        better = separate(levels + root @ rng.normal(size=12), covariance, errors, level=0.9).better
        wrong += bool((better & (levels[:, None] <= levels[None, :])).any())
        tier_wrong += bool((tiers(better) > np.repeat([3, 2, 1], 4)).any())
    assert 0.03 < wrong / trials < 0.14
    assert tier_wrong <= wrong
