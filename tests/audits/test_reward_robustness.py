"""One right answer among many wrong ones, and best of N."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.reward_robustness import best_of, reward_robustness
from whetstone.core.errors import ConfigError


def rewards(seed: int, strengths: dict[str, float]):
    """Rewards that add noise to strength x correctness."""
    rng = np.random.default_rng(seed)
    correct = rng.random((300, 16)) < 0.3
    found = {}
    for name, strength in strengths.items():
        sets = strength * (np.arange(10) == 0) + rng.normal(size=(200, 10))
        found[name] = sets, strength * correct + rng.normal(size=(300, 16))
    return found, correct


def test_accuracy_on_sets_foretells_best_of_n_of_planted_rewards() -> None:
    strengths = {"none": 0.0, "weak": 0.7, "fair": 1.5, "good": 3.0, "backwards": -1.0}
    found = {f.name: f for f in reward_robustness(*rewards(2, strengths))}
    assert found["link"].estimate == pytest.approx(1)
    assert found["first_place good"].verdict == "finds the right answer more often than chance"
    assert found["first_place none"].verdict == "no better than a random order"
    assert found["best of 16 good"].interval[0] > 0.85
    assert found["best of 16 none"].interval[0] < 0.3 < found["best of 16 none"].interval[1]
    assert found["over_optimisation backwards"].estimate > 0.15, "the more it may choose from, the worse"
    assert found["over_optimisation backwards"].verdict == "best at 1 samples"
    lucky = 0
    for seed in range(200):
        results = {f.name: f for f in reward_robustness(*rewards(seed, {"none": 0.0}), budgets=(1,))}
        lucky += results["first_place none"].p < 0.05
    assert lucky <= 19


def test_ties_share_and_shapes_must_match() -> None:
    assert best_of(np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0]])).tolist() == [0.5]
    scored, correct = rewards(1, {"a": 1.0})
    with pytest.raises(ConfigError, match="labels"):
        reward_robustness(scored, correct[:10])
