"""Rates and votes corrected for a judge's error: other packages' numbers, planted errors, coverage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from whetstone.ranking.judge_error import OUTCOMES, corrected_rate, corrected_votes, prediction_powered_rate


def test_prediction_powered_mean_is_that_of_ppi_python():
    case = json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))["powered_mean"]
    data = case["human"], case["judge"], case["unlabelled"]
    found = prediction_powered_rate(*data, power=case["power"])
    assert found.value == pytest.approx(case["value"], abs=1e-12)
    low, high = found.interval
    widened = (stats.t.ppf(0.975, 39) / stats.norm.ppf(0.975)) * (case["high"] - case["low"])
    assert high - low == pytest.approx(widened, rel=0.02)  # n - 1 here, n there
    assert prediction_powered_rate(*data).value == pytest.approx(case["tuned"], abs=0.01)


def draw(rng, n, rate, sensitivity, specificity):
    human = rng.random(n) < rate
    return human, np.where(human, rng.random(n) < sensitivity, rng.random(n) >= specificity)


@pytest.mark.parametrize(("rate", "sensitivity", "specificity"), [(0.5, 0.8, 0.7), (0.9, 0.9, 0.6), (0.3, 0.95, 0.9)])
def test_corrections_cover_the_true_rate_where_the_judges_own_rate_does_not(rate, sensitivity, specificity):
    rng = np.random.default_rng(1)
    inside = {"powered": [], "corrected": [], "trusted": []}
    for _ in range(400):
        human, judge = draw(rng, 100, rate, sensitivity, specificity)
        _, more = draw(rng, 1000, rate, sensitivity, specificity)
        powered = prediction_powered_rate(human, judge, more)
        corrected = corrected_rate(
            int(more.sum()),
            1000,
            sensitivity=(int((human & judge).sum()), int(human.sum())),
            specificity=(int((~human & ~judge).sum()), int((~human).sum())),
        )
        for name, estimate in (("powered", powered), ("corrected", corrected)):
            if estimate.interval:
                inside[name].append(estimate.interval[0] <= rate <= estimate.interval[1])
        error = 1.96 * np.sqrt(more.mean() * (1 - more.mean()) / 1000)
        inside["trusted"].append(abs(more.mean() - rate) < error)
    assert np.mean(inside["powered"]) >= 0.92
    assert np.mean(inside["corrected"]) >= 0.93
    assert np.mean(inside["trusted"]) < 0.5


def test_a_judge_no_better_than_chance_says_nothing():
    found = corrected_rate(50, 100, sensitivity=(20, 40), specificity=(20, 40))
    assert found.value is None
    assert "chance" in found.note
    assert corrected_rate(5, 10, sensitivity=(0, 0), specificity=(1, 1)).value is None
    votes = corrected_votes([1, 1, 0, 0, -1, -1] * 10, [1, 0, -1] * 20, [1, 0, -1] * 50)
    assert all(estimate.value is None for estimate in votes.values())


def test_a_perfect_judge_is_taken_at_its_word():
    found = corrected_rate(30, 100, sensitivity=(500, 500), specificity=(500, 500))
    assert found.value == pytest.approx(0.3)
    plain = prediction_powered_rate([1, 0, 1, 0] * 10, [1, 0, 1, 0] * 10, [1, 1, 1, 0] * 100, power=1.0)
    assert plain.value == pytest.approx(0.75)


def test_votes_of_three_kinds_are_corrected():
    rng = np.random.default_rng(2)
    confusion, shares = np.array([[0.8, 0.15, 0.05], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]), np.array([0.5, 0.2, 0.3])
    values = np.asarray(OUTCOMES)
    inside, trusted = [], []
    for _ in range(150):
        human = rng.choice(3, size=1150, p=shares)
        judge = (rng.random(1150)[:, None] > confusion[human].cumsum(axis=1)).sum(axis=1)
        found = corrected_votes(values[human[:150]], values[judge[:150]], values[judge[150:]])
        inside.append([e.interval[0] <= s <= e.interval[1] for e, s in zip(found.values(), shares, strict=True)])
        raw = np.bincount(judge[150:], minlength=3) / 1000
        trusted.append(np.abs(raw - shares) < 1.96 * np.sqrt(raw * (1 - raw) / 1000))
    assert np.mean(inside) >= 0.93
    assert np.mean(trusted) < 0.7


def test_two_kinds_of_votes_leave_the_third_at_zero():
    found = corrected_votes([1, -1] * 50, [1, -1] * 50, [1, 1, -1] * 50)
    assert found[0].value == 0.0
    assert found[1].value == pytest.approx(2 / 3, abs=0.02)


def test_bad_input():
    with pytest.raises(ValueError, match="as long"):
        prediction_powered_rate([1.0, 2.0], [1.0], [1.0])
    with pytest.raises(ValueError, match="1, 0 or -1"):
        corrected_votes([2], [1], [1])
    assert prediction_powered_rate([1.0], [1.0], [1.0, 2.0]).value is None
    assert corrected_votes([], [], [1])[1].value is None
    assert prediction_powered_rate([1.0] * 5, [1.0] * 5, [1.0] * 5).interval is None
