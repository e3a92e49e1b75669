"""Flips by hand, and what they have to do with the paired difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.stats import flips

pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def test_by_hand():
    found = flips([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])
    assert (found.negative.value, found.positive.value) == (0.2, 0.2)
    assert found.relative == pytest.approx(0.2 / (0.6 * 0.4))
    assert (found.regression, found.gain) == (1, 1)


def test_real_scores():
    found = flips([5, 7, 6.5, 9], [6, 6.9, 8.5, 9], tolerance=0.5)
    assert (found.negative.value, found.positive.value) == (0.5, 0.0)
    assert (found.regression, found.gain) == (1.5, None)
    assert found.relative is None


@given(pairs)
def test_gained_less_lost_is_the_difference(pair_list):
    new, old = (np.array(side, float) for side in zip(*pair_list, strict=True))
    found = flips(new, old)
    assert found.positive.value - found.negative.value == pytest.approx(new.mean() - old.mean(), abs=1e-12)
    assert found.relative is None or found.relative >= 0


def test_independent_systems_have_a_relative_rate_of_one():
    rng = np.random.default_rng(0)
    assert flips(rng.random(40_000) < 0.7, rng.random(40_000) < 0.6).relative == pytest.approx(1, abs=0.03)


def test_edges():
    assert flips([], []).negative.value is None
    with pytest.raises(ValueError, match="tolerance"):
        flips([1], [0], tolerance=-1)
    with pytest.raises(ValueError, match="new 1, old 2"):
        flips([1], [0, 1])
