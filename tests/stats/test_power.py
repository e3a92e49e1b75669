"""Power: against statsmodels and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from whetstone.stats import (
    detectable_difference,
    detectable_effect,
    discordant_spread,
    mcnemar,
    paired_power,
    paired_t,
    required_n,
    required_n_equivalence,
    tost,
)


def test_power_agrees_with_statsmodels(comparison):
    for case in comparison["power"]:
        found = paired_power(case["effect"], case["spread"], case["n"], alpha=case["alpha"])
        assert found == pytest.approx(case["power"], rel=1e-5)


def test_required_n_agrees_with_statsmodels(comparison):
    for case in comparison["sizes"]:
        found = required_n(case["effect"], case["spread"], power=case["power"], alpha=case["alpha"])
        assert found == math.ceil(case["n"] - 1e-3)


def test_the_three_questions_answer_each_other():
    n = required_n(0.05, 0.4)
    assert paired_power(0.05, 0.4, n) >= 0.8 > paired_power(0.05, 0.4, n - 1)
    assert detectable_effect(0.4, n) <= 0.05 < detectable_effect(0.4, n - 1)
    assert paired_power(-0.05, 0.4, n) == paired_power(0.05, 0.4, n)
    assert paired_power(0, 0.4, n) == pytest.approx(0.05)


def test_power_is_what_a_simulation_sees():
    rng = np.random.default_rng(2)
    n = required_n(0.06, discordant_spread(0.2, 0.06))
    found = []
    for _ in range(400):
        wins, losses, ties = rng.multinomial(n, [0.13, 0.07, 0.8])
        treatment, baseline = [1] * wins + [0] * losses + [1] * ties, [0] * wins + [1] * losses + [1] * ties
        found.append(mcnemar(treatment, baseline).p < 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_equivalence_is_shown_as_often_as_planned():
    rng = np.random.default_rng(4)
    n = required_n_equivalence(0.3, 1.0, effect=0.05)
    shown = [tost(rng.normal(0.05, 1, n), np.zeros(n), 0.3).equivalent for _ in range(400)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)
    assert required_n_equivalence(0.3, 1.0, effect=0.3) is None


def test_what_these_items_could_have_detected_does_not_depend_on_what_they_showed():
    rng = np.random.default_rng(6)
    noise = rng.normal(size=300)
    there = detectable_difference(noise, np.zeros(300))
    assert there == pytest.approx(detectable_difference(noise + 1, np.zeros(300)), rel=1e-9)
    assert there == pytest.approx(detectable_effect(float(noise.std(ddof=1)), 300), rel=1e-5)
    copied = detectable_difference(np.repeat(noise, 3), np.zeros(900), groups=np.repeat(np.arange(300), 3))
    assert copied == pytest.approx(there, rel=1e-5)
    seen = [paired_t(rng.normal(there, 1, 300), np.zeros(300)).p < 0.05 for _ in range(300)]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.08)


def test_what_cannot_be_answered():
    assert detectable_difference([1, 1], [1, 1]) is None
    assert required_n(1e-9, 1.0) is None
    assert required_n(50.0, 1.0) == 2
    for wrong in (
        lambda: paired_power(0.1, 0, 20),
        lambda: paired_power(0.1, 1, 1),
        lambda: required_n(0.1, 1, power=0.04),
        lambda: required_n(0.1, 1, alpha=0),
        lambda: discordant_spread(0.1, 0.2),
        lambda: detectable_effect(1, 1),
    ):
        with pytest.raises(ValueError):
            wrong()
