"""Gaps between groups whose clusters are dealt at random."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from whetstone.stats.group_rates import MANY, deal_units, dealt_units, group_rates


def test_a_unit_is_what_one_cluster_has_in_one_group() -> None:
    values, groups, clusters = np.array([1, 0, 1, 0.5, 1]), np.array([0, 0, 1, 1, 0]), np.array([0, 0, 0, 1, 2])
    sums, sizes, own = dealt_units(values, groups, clusters)
    assert (sums.tolist(), sizes.tolist(), own.tolist()) == ([1, 1, 0.5, 1], [2, 1, 1, 1], [0, 1, 1, 0])
    assert group_rates(sums, sizes, own).tolist() == [2 / 3, 0.75]


def test_p_is_the_share_of_deals_with_a_gap_as_wide() -> None:
    """All deals of six units to two groups, counted, against deals at random."""
    sums, sizes = np.array([3.0, 3, 2, 0, 1, 0]), np.array([3.0, 4, 2, 2, 3, 1])
    own = np.array([0, 0, 0, 1, 1, 1])
    every = np.array([np.ptp(group_rates(sums, sizes, own[list(deal)])) for deal in permutations(range(6))])
    p, mean = deal_units(sums, sizes, own)
    assert p == pytest.approx((every >= every[0] - 1e-12).mean(), abs=0.03)
    assert mean == pytest.approx(every.mean(), abs=0.02)
    assert deal_units(sums, sizes, own) == (p, mean)
    assert deal_units(sums, sizes, own, seed=1) != (p, mean)


def test_beyond_many_units_the_normal_distribution_says_the_same() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 4, MANY + 2).astype(float)
    sums, own = rng.binomial(sizes.astype(int), 0.7).astype(float), rng.integers(0, 3, MANY + 2)
    p, mean = deal_units(sums, sizes, own)
    fewer, mean_of_fewer = deal_units(sums[:MANY], sizes[:MANY], own[:MANY])
    assert p == pytest.approx(fewer, abs=0.06)
    assert mean == pytest.approx(mean_of_fewer, rel=0.05)
