"""Metrics against an expert."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.metric_selection import metric_selection
from whetstone.core.errors import ConfigError


def scored(seed: int, n: int):
    rng = np.random.default_rng(seed)
    models = np.array(["small", "medium", "large"])[np.arange(n) % 3]
    expert = np.round(2 * rng.normal(size=n) + (models == "large") * 1.5, 1)
    metrics = {
        "noise": rng.normal(size=n).tolist(),
        "planted": (expert + rng.normal(size=n)).tolist(),
        "weak": (expert + 6 * rng.normal(size=n)).tolist(),
    }
    return metrics, expert.tolist(), models.tolist()


def test_the_planted_metric_wins_and_chooses_the_expert_s_model() -> None:
    metrics, expert, models = scored(1, 240)
    found = metric_selection(metrics, expert, models=models, rounds=200)
    assert [f.name for f in found] == ["planted", "weak", "noise", "regret"]
    assert found[0].detail["best"] > 0.99
    assert found[0].verdict == "follows the expert"
    assert found[2].verdict == "does not follow the expert, as far as seen"
    assert (found[3].estimate, found[3].verdict) == (0, "planted chooses large")
    wrong = metric_selection({"upside down": [-e for e in expert]}, expert, models=models, rounds=10)
    assert wrong[1].estimate > 0.5, "choosing by it costs the expert's points"


def test_a_metric_that_says_the_same_of_everything_comes_last() -> None:
    metrics, expert, _ = scored(1, 30)
    found = metric_selection({"constant": [1.0] * 30, **metrics}, expert, rounds=10)
    assert (found[0].name, found[-1].name, found[-1].estimate) == ("planted", "constant", None)


def test_no_metric_is_believed_by_luck() -> None:
    believed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        (found,) = metric_selection({"noise": rng.normal(size=40)}, rng.normal(size=40), rounds=1)
        believed += found.verdict == "follows the expert"
    assert believed <= 8
    with pytest.raises(ConfigError, match="needs 3 scores"):
        metric_selection({"short": [1, 2]}, [1, 2, 3])
