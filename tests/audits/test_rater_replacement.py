"""A judge in place of, or beside, human raters."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.rater_replacement import rater_replacement
from whetstone.core.errors import ConfigError


def table(seed: int, n: int, noise: float):
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, n)
    humans = np.clip(np.round(truth[:, None] + 0.6 * rng.normal(size=(n, 4))), 1, 5)
    return humans, np.clip(np.round(truth + noise * rng.normal(size=n)), 1, 5)


def test_a_noisy_judge_lowers_agreement_and_one_as_good_as_people_does_not() -> None:
    noisy = {f.name: f for f in rater_replacement(*table(1, 200, 3.0))}
    assert noisy["replace"].verdict == noisy["add"].verdict == "lowers agreement"
    assert noisy["replace"].interval[1] < -0.05
    sharp = {f.name: f for f in rater_replacement(*table(1, 200, 0.0))}
    assert sharp["replace"].verdict == "raises agreement"
    assert sharp["spearman"].interval[0] > 0.8
    assert sharp["helps 1"].estimate > sharp["helps 3"].estimate > 0, "the fewer people, the more a judge helps"
    assert sharp["helps 1"].verdict == "helps few people"
    accused = sum(rater_replacement(*table(seed, 60, 0.6))[1].p < 0.05 for seed in range(20))
    assert accused <= 4, "one more person is no worse than the others"


def test_missing_ratings_and_wrong_shapes() -> None:
    humans, judge = table(3, 60, 0.6)
    humans[::7, 1] = np.nan
    assert rater_replacement(humans, judge)[0].estimate > 0.4
    with pytest.raises(ConfigError, match="humans must be"):
        rater_replacement(humans[:, :1], judge)
