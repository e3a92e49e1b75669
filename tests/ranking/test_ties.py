"""The models of one comparison: derivatives, probabilities, and the maxima that other software finds."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.ranking.ties import TIES, log_sigmoid, sigmoid

MODELS = pytest.mark.parametrize("name", TIES)
D = np.array([-3.0, -0.4, 0.0, 1.3, 6.0])
E = np.asarray(0.7)


@MODELS
def test_derivatives_are_those_of_the_value(name: str) -> None:
    model = TIES[name]
    counts = np.random.default_rng(0).integers(0, 9, (3, 5)).astype(float)
    h = 1e-5
    in_d, in_e = model.gradient(counts, D, E)
    curvature = model.curvature(counts, D, E)
    for i, one in enumerate(np.eye(5) * h):
        slope = (model.value(counts, D + one, E) - model.value(counts, D - one, E)) / (2 * h)
        assert in_d[i] == pytest.approx(slope, abs=1e-6)
        bend = (model.gradient(counts, D + one, E)[0] - model.gradient(counts, D - one, E)[0])[i] / (2 * h)
        assert curvature.dd[i] == pytest.approx(-bend, abs=1e-6)
        cross = (model.gradient(counts, D + one, E)[1] - model.gradient(counts, D - one, E)[1]) / (2 * h)
        assert curvature.de[i] == pytest.approx(-cross, abs=1e-6)
    if model.has_tie_parameter:
        slope = (model.value(counts, D, E + h) - model.value(counts, D, E - h)) / (2 * h)
        assert in_e == pytest.approx(slope, abs=1e-6)
        bend = (model.gradient(counts, D, E + h)[1] - model.gradient(counts, D, E - h)[1]) / (2 * h)
        assert curvature.ee == pytest.approx(-bend, abs=1e-6)


@MODELS
def test_scores_are_gradients_of_single_comparisons(name: str) -> None:
    model = TIES[name]
    in_d, in_e = model.scores(D, E)
    for outcome in range(3):
        one = np.zeros((3, len(D)))
        one[outcome] = 1
        np.testing.assert_allclose(in_d[outcome], model.gradient(one, D, E)[0], atol=1e-12)
        assert in_e[outcome].sum() == pytest.approx(float(model.gradient(one, D, E)[1]), abs=1e-12)


@pytest.mark.parametrize("name", ["davidson", "rao_kupper"])
def test_expected_scores_are_zero(name: str) -> None:
    if name == "davidson":
        odds = np.stack([np.exp(D / 2), np.full_like(D, np.exp(E)), np.exp(-D / 2)])
    else:
        win, loss = sigmoid(D - E), sigmoid(-D - E)
        odds = np.stack([win, 1 - win - loss, loss])
    share = odds / odds.sum(axis=0)
    for score in TIES[name].scores(D, E):
        np.testing.assert_allclose((share * score).sum(axis=0), 0, atol=1e-12)


def test_far_apart_strengths_do_not_overflow() -> None:
    far = np.array([-800.0, 800.0])
    assert sigmoid(far).tolist() == [0, 1]
    assert log_sigmoid(far).tolist() == [-800, 0]
    for model in TIES.values():
        counts = np.ones((3, 2))
        assert np.isfinite(model.value(counts, far, E))
        assert np.isfinite(model.gradient(counts, far, E)[0]).all()
