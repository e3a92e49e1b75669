"""Calibration against scikit-learn, against planted truth, and at its edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import brier, brier_parts, ece, ece_test, reliability, wilson

rated = st.lists(st.tuples(st.integers(0, 20).map(lambda i: i / 20), st.booleans()), min_size=1, max_size=50)


def planted(n, *, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 0.9, n)
    return confidence, rng.random(n) < confidence - shift


def test_reliability_agrees_with_scikit_learn(reference, data):
    bins = reliability(data["confidence"], data["correct"])
    assert [b.accuracy.value for b in bins] == pytest.approx(reference["reliability_width"]["accuracy"])
    assert [b.confidence for b in bins] == pytest.approx(reference["reliability_width"]["confidence"])
    weights = np.array([b.accuracy.n for b in bins]) / len(data["correct"])
    gap = sum(w * abs(b.accuracy.value - b.confidence) for w, b in zip(weights, bins, strict=True))
    assert ece(data["confidence"], data["correct"], rounds=10).value == pytest.approx(gap)


def test_brier_agrees_with_scikit_learn(reference, data):
    found = brier(data["confidence"], data["correct"])
    assert found.value == pytest.approx(reference["brier"])
    assert found.interval[0] < found.value < found.interval[1]


def test_equal_mass_bins_hold_equal_counts():
    confidence, correct = planted(200)
    assert [b.accuracy.n for b in reliability(confidence, correct, scheme="mass")] == [20] * 10


@given(rated, st.sampled_from(["width", "mass"]), st.integers(1, 12))
def test_bins_partition_the_answers_and_keep_ties_together(rows, scheme, bins):
    confidence, correct = zip(*rows, strict=True)
    found = reliability(confidence, correct, scheme=scheme, bins=bins)
    assert sum(b.accuracy.n for b in found) == len(rows)
    assert len(found) <= bins
    for before, after in pairwise(found):
        assert before.high < after.low


@given(rated, st.sampled_from(["width", "mass"]), st.integers(1, 12))
def test_brier_parts_add_up(rows, scheme, bins):
    confidence, correct = zip(*rows, strict=True)
    parts = brier_parts(confidence, correct, scheme=scheme, bins=bins)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert parts.brier == pytest.approx(total) == pytest.approx(brier(confidence, correct, rounds=2).value)
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_nothing_is_hidden_when_equal_confidences_share_a_bin():
    confidence, correct = [0.15, 0.15, 0.75, 0.75, 0.75], [0, 1, 1, 1, 0]
    assert brier_parts(confidence, correct).within == pytest.approx(0, abs=1e-12)


@settings(max_examples=40)
@given(rated, st.sampled_from(["width", "mass"]))
def test_ece_lies_within_its_interval_and_bounds(rows, scheme):
    confidence, correct = zip(*rows, strict=True)
    found = ece_test(confidence, correct, scheme=scheme, rounds=60)
    assert 0 <= found.effect.value <= 1
    if len(rows) > 1:
        low, high = found.effect.interval
        assert 0 <= low <= found.effect.value + 1e-9
        assert found.effect.value <= high <= 1
        assert 0 < found.p <= 1


def test_planted_overconfidence_is_found():
    found = ece_test(*planted(600, shift=0.2))
    assert found.p < 0.01
    assert found.effect.interval[0] > 0.1
    assert found.effect.interval[0] < 0.2 < found.effect.interval[1]


def test_perfect_calibration_is_not_blamed_for_noise():
    found = ece_test(*planted(600))
    assert found.effect.value > 0.01
    assert found.effect.interval[0] == 0
    assert found.p > 0.05
    by_chance = [ece_test(*planted(600, seed=seed), rounds=50).effect.value for seed in range(20)]
    assert found.effect.note == "perfect calibration would give 0.0365 on average"
    assert np.mean(by_chance) == pytest.approx(0.0365, rel=0.2)


def test_answers_that_repeat_within_clusters_prove_less():
    confidence, correct = planted(60, shift=0.2, seed=4)
    groups = [i for i in range(60) for _ in range(10)]
    alone = ece_test(np.repeat(confidence, 10), np.repeat(correct, 10))
    together = ece_test(np.repeat(confidence, 10), np.repeat(correct, 10), groups=groups)
    assert together.effect.value == pytest.approx(alone.effect.value)
    assert together.effect.interval[0] < alone.effect.interval[0]
    assert together.p > alone.p


def test_certainty_is_refuted_by_one_error_and_never_proved():
    assert ece_test([1.0] * 20, [1] * 19 + [0]).p < 0.01
    sure = ece_test([1.0] * 20, [1] * 20)
    assert (sure.effect.value, sure.p) == (0, 1)
    assert sure.effect.interval[1] > 0.05


def test_same_seed_same_interval(data):
    first, again, other = (ece(data["confidence"], data["correct"], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.interval != other.interval


def test_edges_are_unknown_or_refused():
    assert ece([], []).value is None
    assert brier([], []).value is None
    assert brier_parts([], []) is None
    assert reliability([], []) == []
    assert ece([0.7], [1]).interval is None
    assert ece([0.7, 0.9], [1, 0], groups=["a", "a"]).interval is None
    assert reliability([0.7], [1])[0].accuracy == wilson(1, 1)
    for call, message in (
        (lambda: ece([1.2], [1]), "confidence must lie between 0 and 1"),
        (lambda: ece([0.5], [0.5]), "correct must be true or false"),
        (lambda: ece([0.5], [None]), "correct holds unknown values"),
        (lambda: ece([0.5], [1, 0]), "confidence 1, correct 2"),
        (lambda: ece([0.5], [1], bins=0), "bins must be at least 1"),
        (lambda: ece([0.5], [1], scheme="depth"), "scheme must be"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
