"""Dispersion of decisions across groups."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.judgment_consistency import judgment_consistency
from whetstone.core.errors import ConfigError


def cases(seed: int, n: int, gap: float):
    rng = np.random.default_rng(seed)
    facts = rng.normal(size=(n, 3))
    groups = rng.choice(["north", "south"], n)
    months = 12 + facts @ [3.0, 1.0, 0.0] + gap * (groups == "south") + rng.normal(size=n)
    return facts, months, groups.tolist()


def test_finds_a_planted_disparity_and_none_where_groups_are_alike() -> None:
    facts, months, groups = cases(1, 300, 2.0)
    found = {f.name: f for f in judgment_consistency(facts, months, groups=groups)}
    assert found["linco"].estimate == pytest.approx(1.0, abs=0.2), "the standard deviation of two values 2 apart is 1"
    assert found["linco"].verdict == "groups are judged differently"
    assert found["direction south"].estimate > 0.8 > -0.8 > found["direction north"].estimate
    accused = 0
    for seed in range(100):
        facts, months, groups = cases(seed, 80, 0.0)
        accused += judgment_consistency(facts, months, groups=groups, rounds=99)[0].p < 0.05
    assert accused <= 12


def test_groups_are_needed() -> None:
    facts, months, groups = cases(1, 20, 0.0)
    with pytest.raises(ConfigError, match="two groups or more"):
        judgment_consistency(facts, months, groups=["one"] * 20)
    with pytest.raises(ConfigError, match="differ in length"):
        judgment_consistency(facts, months, groups=groups[:5])
