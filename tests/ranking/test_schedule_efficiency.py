"""How many matches each schedule needs."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.schedule_efficiency import SCHEDULES, schedule_efficiency


def test_rankings_of_four_need_fewer_matches():
    found = {
        f.name: f
        for f in schedule_efficiency(
            systems=8, target=0.85, most=400, runs=8, schedules=("random_pairs", "random_groups_of_4")
        )
    }
    assert found["random_groups_of_4"].interval[1] < found["random_pairs"].interval[0]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_gets_there(name):
    (one,) = schedule_efficiency(systems=6, target=0.8, most=400, runs=6, deviation=1.5, schedules=(name,))
    assert one.estimate is not None
    assert one.interval[0] <= one.estimate <= one.interval[1]


def test_equal_systems_never_get_there():
    (one,) = schedule_efficiency(systems=6, careless=1.0, most=100, runs=4, schedules=("swiss",))
    assert one.estimate is None


def test_same_seed_same_result():
    first, again = (schedule_efficiency(systems=5, most=100, runs=3, schedules=("ucb",)) for _ in range(2))
    assert first == again


def test_unknown_names_are_listed():
    with pytest.raises(ConfigError, match="random_pairs"):
        schedule_efficiency(schedules=("ladder",))
    with pytest.raises(ConfigError, match="bayesian_skill"):
        schedule_efficiency(estimator="glicko")
