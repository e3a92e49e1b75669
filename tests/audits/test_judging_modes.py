"""Scores, pairs and rankings of one judge."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.judging_modes import edit_distance, judging_modes
from whetstone.core.errors import ConfigError


def modes(seed: int, n: int, noise: float):
    rng = np.random.default_rng(seed)
    merit = rng.normal(size=(n, 4))
    seen = merit + noise * rng.normal(size=(n, 4))

    def of(values):
        return {
            "scores": np.clip(np.round(3 + values[:, 0]), 1, 5).tolist(),
            "pairs": ["C" if abs(a - b) < 0.2 else "A" if a > b else "B" for a, b in values[:, :2]],
            "rankings": ["".join("ABCD"[i] for i in np.argsort(-row)) for row in values],
        }

    return of(seen), of(merit)


def test_values_by_hand_and_a_planted_order_of_judges() -> None:
    assert edit_distance("ABCD", "ABDC") == 0.5
    assert edit_distance("kitten", "sitting") == pytest.approx(3 / 7)
    assert edit_distance("", "") == 0
    found = {f.name: f for f in judging_modes({"pairs": ["A", "C", "B", None]}, {"pairs": ["A", "A", "A", "B"]})}
    assert (found["pairs"].estimate, found["pairs"].detail["left_out"]) == (pytest.approx(1 / 3), 1)
    assert (found["pairs without ties"].estimate, found["pairs without ties"].n) == (0.5, 2)
    good, bad, idle = ({f.name: f for f in judging_modes(*modes(1, 300, noise))} for noise in (0.2, 1.5, 100))
    for name in ("scores", "pairs", "pairs without ties"):
        assert good[name].interval[0] > bad[name].interval[1] > bad[name].interval[0] > idle[name].estimate
    assert good["rankings"].interval[1] < bad["rankings"].interval[0]
    assert abs(idle["scores"].estimate) < 0.15
    assert idle["pairs without ties"].interval[0] < 0.5 < idle["pairs without ties"].interval[1]


def test_modes_must_match() -> None:
    with pytest.raises(ConfigError, match="share none"):
        judging_modes({"scores": [1]}, {"pairs": ["A"]})
    with pytest.raises(ConfigError, match="1 of the judge"):
        judging_modes({"scores": [1]}, {"scores": [1, 2]})
