"""Fitted maps against scikit-learn, on planted truth, and on data that separate or lack a class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from whetstone.stats import ece, fit_isotonic, fit_platt, fit_temperature

FITS = [fit_platt, fit_isotonic, fit_temperature]


def test_fits_agree_with_scikit_learn(reference, data):
    platt = fit_platt(data["scores"], data["correct"])
    assert (platt.slope, platt.intercept) == pytest.approx(tuple(reference["platt"].values()), abs=1e-4)
    isotonic = fit_isotonic(data["scores"], data["correct"])
    assert isotonic(reference["isotonic"]["at"]) == pytest.approx(reference["isotonic"]["probabilities"])
    temperature = fit_temperature(data["confidence"], data["correct"]).temperature
    assert temperature == pytest.approx(reference["temperature"], rel=1e-4)


@pytest.mark.parametrize("fit", FITS)
def test_planted_overconfidence_is_removed(fit):
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=4000)
    confidence, correct = special.expit(3 * logits), rng.random(4000) < special.expit(logits)
    fitted = fit(confidence[:2000], correct[:2000])
    before = ece(confidence[2000:], correct[2000:], rounds=10).value
    after = ece(fitted(confidence[2000:]), correct[2000:], rounds=10).value
    assert before > 0.1
    assert after < before / 2
    if fit is fit_temperature:
        assert fitted.temperature == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("fit", FITS)
@given(rows=st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=30))
def test_maps_give_probabilities_for_any_data(fit, rows):
    scores, correct = zip(*[(score / 10, right) for score, right in rows], strict=True)
    probabilities = fit(scores, correct)(np.linspace(0, 1, 11))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    if fit is not fit_platt:
        assert (np.diff(probabilities) >= -1e-12).all()


def test_platt_stays_finite_when_scores_separate():
    fitted = fit_platt([1e6, 2e6, 3e6, 4e6], [0, 0, 1, 1])
    assert np.isfinite([fitted.slope, fitted.intercept]).all()
    assert fitted([1e6, 4e6]) == pytest.approx([0.25, 0.75], abs=0.1)


def test_one_class_gives_a_cautious_constant():
    assert fit_platt([1, 2, 3], [1, 1, 1])([0, 9]) == pytest.approx([0.8, 0.8])


@pytest.mark.parametrize("fit", FITS)
def test_wrong_arguments_are_named(fit):
    with pytest.raises(ValueError, match="dev split"):
        fit([], [])
    with pytest.raises(ValueError, match="lengths differ"):
        fit([0.5], [1, 0])
    with pytest.raises(ValueError, match="not finite"):
        fit([float("-inf"), 0.5], [1, 0])
