"""Agreement of raters with a reference."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.rater_agreement import rater_agreement
from whetstone.core.errors import ConfigError


def raters(seed: int, n: int) -> dict[str, list[float | None]]:
    rng = np.random.default_rng(seed)
    human = rng.integers(1, 6, n)
    good = np.clip(human + rng.integers(-1, 2, n), 1, 5)
    return {
        "human": human.tolist(),
        "good": good.tolist(),
        "noise": rng.integers(1, 6, n).tolist(),
        "flat": [3.0] * n,
    }


def test_tells_a_good_judge_from_a_noisy_and_a_constant_one() -> None:
    found = {f.name: f for f in rater_agreement(raters(1, 200))}
    for statistic in ("kappa", "alpha", "ac1", "spearman", "kendall", "pearson"):
        assert found[f"{statistic} good"].interval[0] > 0.3 or statistic == "ac1"
        assert found[f"{statistic} good"].verdict == "agrees beyond chance"
        assert found[f"{statistic} noise"].verdict == "no agreement beyond chance found"
    assert found["kappa flat"].estimate == pytest.approx(0)
    assert found["spearman flat"].estimate is None
    accused = [rater_agreement(raters(seed, 40), scale="nominal") for seed in range(25)]
    believed = sum(f.verdict == "agrees beyond chance" for fs in accused for f in fs if f.name == "kappa noise")
    assert believed <= 4


def test_missing_ratings_are_counted_and_wrong_tables_refused() -> None:
    ratings = raters(2, 50)
    ratings["good"][:5] = [None] * 5
    found = {f.name: f for f in rater_agreement(ratings)}
    assert (found["kappa good"].n, found["kappa good"].detail["left_out"]) == (45, 5)
    with pytest.raises(ConfigError, match="no rater is called"):
        rater_agreement(ratings, reference="people")
    with pytest.raises(ConfigError, match="different numbers"):
        rater_agreement({"human": [1, 2], "judge": [1]})
