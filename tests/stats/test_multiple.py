"""Adjusted p-values against statsmodels, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.stats import benjamini_hochberg, holm

p_values = st.lists(st.floats(0, 1), max_size=20)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_adjusted_p_values_agree_with_statsmodels(reference, adjust):
    case = reference["multiple"]
    assert adjust(case["p"]) == pytest.approx(case[adjust.__name__])


@given(p_values)
def test_benjamini_hochberg_lies_between_the_raw_and_holms(raw):
    for p, middle, strict in zip(raw, benjamini_hochberg(raw), holm(raw), strict=True):
        assert p <= middle * (1 + 1e-12)
        assert middle <= strict * (1 + 1e-12)
        assert strict <= min(1, p * len(raw)) * (1 + 1e-12)


def test_unknown_p_values_stay_unknown_and_are_not_counted():
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert benjamini_hochberg([None]) == [None]
    assert holm([]) == []


def test_holm_keeps_the_chance_of_any_false_claim():
    rng = np.random.default_rng(0)
    false = [min(holm(rng.random(10).tolist())) < 0.05 for _ in range(2000)]
    assert np.mean(false) == pytest.approx(0.05, abs=0.015)


def test_impossible_p_values_are_refused():
    with pytest.raises(ValueError, match="p_values"):
        holm([1.5])


def test_many_p_values_agree_with_statsmodels(comparison):
    known = comparison["multiple"]
    assert holm(known["p"]) == pytest.approx(known["holm"], rel=1e-12)
    assert benjamini_hochberg(known["p"]) == pytest.approx(known["benjamini_hochberg"], rel=1e-12)
