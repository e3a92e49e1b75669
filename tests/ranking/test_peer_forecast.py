"""Peer-reviewed forecasts: reliability of graders, ranking of forecasters, weights."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.grades import Grades
from whetstone.ranking.peer_forecast import peer_forecast

CRITERIA = ("sound", "clear", "polite")


def graded(k: int = 16, *, icc: float = 0.6, seed: int = 0, vanity: float = 0.0) -> tuple[Grades, NDArray[np.float64]]:
    """Every model grades every model; on "polite" there is nothing to see. And the quality that was planted."""
    rng = np.random.default_rng(seed)
    quality = np.linspace(1, -1, k) / np.linspace(1, -1, k).std() * icc**0.5
    scores = 5 + quality[None, :, None] + rng.normal(0, (1 - icc) ** 0.5, (k, k, 1)) * np.ones(3)
    scores[:, :, 2] = 5 + rng.normal(0, 1.2, (k, k))
    scores[np.arange(k), np.arange(k), :2] += vanity
    names = tuple(f"m{i:02}" for i in range(k))
    return Grades(names, names, CRITERIA, scores), quality


def test_known_reliability_and_planted_order_are_found() -> None:
    for icc in (0.3, 0.7):
        found, by_mean = [], []
        for seed in range(8):
            grades, quality = graded(icc=icc, seed=seed)
            result = peer_forecast(grades, np.linspace(0.9, 0.1, 16))
            found.append(result.by_criterion["sound"].value)
            by_mean.append(result.reliability[1].value)
            low, high = result.by_criterion["sound"].interval or (1.0, 0.0)
            assert low < icc < high
            assert np.corrcoef(result.ranking.scores, quality)[0, 1] > 0.85
        assert np.mean(np.array(found, dtype=float)) == pytest.approx(icc, abs=0.06)
        assert np.mean(np.array(by_mean, dtype=float)) > 0.8
    assert result.by_criterion["polite"].value == pytest.approx(0, abs=0.05)


def test_better_graded_forecasts_count_for_more() -> None:
    grades, quality = graded(icc=0.8)
    forecasts = np.stack([0.5 + 0.1 * quality, np.full(16, 0.3)], axis=1)
    plain = peer_forecast(grades, forecasts, sharpness=0)
    np.testing.assert_allclose(plain.forecast, plain.plain)
    np.testing.assert_allclose(plain.weights, 1 / 16)
    sharp = [peer_forecast(grades, forecasts, sharpness=s).forecast[0] for s in (0, 1, 4)]
    assert sharp[0] < sharp[1] < sharp[2]
    found = peer_forecast(grades, forecasts)
    assert found.forecast[1] == pytest.approx(0.3)
    assert found.spread[1] == pytest.approx(0, abs=1e-12)
    assert found.weights.sum() == pytest.approx(1)


def test_weights_of_criteria_are_fitted_to_external_scores() -> None:
    grades, quality = graded(seed=3)
    external = dict(zip(grades.names[::2], 50 + 10 * quality[::2], strict=True))
    found = peer_forecast(grades, quality, external=external)
    assert found.criteria[:2].sum() > 0.85
    assert found.fit is not None
    assert found.fit > 0.9
    equal = peer_forecast(grades, quality)
    assert equal.fit is None
    np.testing.assert_allclose(equal.criteria, 1 / 3)
    flat = Grades(grades.names, grades.judges, ("sound",), grades.scores[:, :, :1])
    with pytest.raises(TaskError, match="no criterion rises"):
        peer_forecast(flat, quality, external={name: -value for name, value in external.items()})


def test_what_models_think_of_themselves_is_not_counted_unless_asked() -> None:
    honest, vain = (graded(vanity=v)[0] for v in (0.0, 4.0))
    forecasts = np.zeros(16)
    np.testing.assert_allclose(
        peer_forecast(honest, forecasts).ranking.scores, peer_forecast(vain, forecasts).ranking.scores
    )
    assert (
        peer_forecast(vain, forecasts, own=True).ranking.scores > peer_forecast(vain, forecasts).ranking.scores
    ).all()


def test_graders_that_leave_grades_out_are_judged_by_those_they_gave() -> None:
    grades, quality = graded()
    scores = grades.scores.copy()
    scores[2, 5] = np.nan
    found = peer_forecast(Grades(grades.names, grades.judges, grades.tasks, scores), quality)
    assert found.reliability[0].method == "ICC(1,1)"
    assert peer_forecast(grades, quality).reliability[0].method == "ICC(2,1)"


def test_mistakes_are_named() -> None:
    grades, quality = graded(4)
    with pytest.raises(TaskError, match="4 graded models"):
        peer_forecast(grades, quality[:3])
    with pytest.raises(ConfigError, match="sharpness"):
        peer_forecast(grades, quality, sharpness=-1)
    with pytest.raises(ConfigError, match="'zz', which is not graded"):
        peer_forecast(grades, quality, external={"zz": 1.0})
    with pytest.raises(ConfigError, match="three models"):
        peer_forecast(grades, quality, external={"m00": 1.0})
    with pytest.raises(TaskError, match="negative"):
        peer_forecast(Grades(grades.names, grades.judges, grades.tasks, grades.scores - 9), quality)
