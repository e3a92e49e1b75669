"""How many matches does each way of choosing opponents need?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.ranking.convergence import curve, grid, matches_to_reach
from whetstone.ranking.estimators import ESTIMATORS
from whetstone.ranking.schedules.active import active
from whetstone.ranking.schedules.k_wise import k_wise
from whetstone.ranking.schedules.round_robin import random_groups, round_robin
from whetstone.ranking.schedules.schedule import Schedule, check, endless
from whetstone.ranking.schedules.single_elimination import single_elimination
from whetstone.ranking.schedules.swiss import swiss
from whetstone.ranking.voters import Voters
from whetstone.stats.estimate import finding

SCHEDULES: dict[str, Callable[[int, int], Schedule[Any]]] = {
    "random_pairs": lambda k, seed: random_groups(k, seed=seed),
    "round_robin": lambda k, seed: endless(lambda item: round_robin(k, first_item=item, seed=seed + item)),
    "single_elimination": lambda k, seed: endless(
        lambda item: single_elimination(k, first_item=item, seed=seed + item)
    ),
    "swiss": lambda k, seed: swiss(k, rounds=10**9, seed=seed),
    "information": lambda k, seed: active(k, criterion="information", seed=seed),
    "ucb": lambda k, seed: active(k, criterion="ucb", seed=seed),
    "random_groups_of_4": lambda k, seed: random_groups(k, size=4, seed=seed),
    "k_wise_of_4": lambda k, seed: k_wise(k, size=4, seed=seed),
}
"""By name: from the number of systems and a seed. Those in rounds and brackets go on with one item after the other."""


@method("ranking", checked="tests/ranking/test_schedule_efficiency.py::test_rankings_of_four_need_fewer_matches")
def schedule_efficiency(
    *,
    systems: int = 16,
    target: float = 0.9,
    schedules: tuple[str, ...] = tuple(SCHEDULES),
    estimator: str = "bradley_terry",
    deviation: float = 1.0,
    spread: float = 0.0,
    tie: float = 0.0,
    position: float = 0.0,
    careless: float = 0.0,
    most: int = 4000,
    runs: int = 40,
    level: float = 0.95,
    seed: int = 0,
) -> list[Finding]:
    """Matches until the mean rank correlation with planted skills reaches a target, for each schedule.

    Args:
        systems: number of systems.
        target: Spearman correlation to reach.
        schedules: some of `SCHEDULES`.
        estimator: "bradley_terry", "bayesian_skill" or "elo": what makes scores of the results.
        deviation: of the planted normal skills, in natural log-odds.
        spread, tie, position, careless: of the voters, see `Voters`.
        most: matches after which to give up.
        runs: repetitions with new skills and votes, the same for every schedule.
        level: of intervals.
        seed: same seed, same result.

    Returns:
        Matches by schedule, each with the interval of a bootstrap of the runs; None where the target is not reached.

    Raises:
        ConfigError: an unknown schedule or estimator, or a setting that makes no sense.
    """
    check(systems, runs=(runs, 2), deviation=(deviation, 0), most=(most, 8))
    for name, known in ((estimator, ESTIMATORS), *((schedule, SCHEDULES) for schedule in schedules)):
        if name not in known:
            raise ConfigError(f"{name!r} is not known here; it can be {', '.join(known)}")
    at = grid(most)
    curves: dict[str, list[Any]] = {name: [] for name in schedules}
    for one in np.random.SeedSequence(seed).spawn(runs):
        rng = np.random.default_rng(one)
        skills = rng.normal(scale=deviation, size=systems)
        voters = Voters(skills, spread=spread, tie=tie, position=position, careless=careless)
        pick, vote = (int(s) for s in rng.integers(2**31, size=2))
        for name in schedules:
            schedule, learner = SCHEDULES[name](systems, pick), ESTIMATORS[estimator](systems)
            curves[name].append(curve(schedule, voters.judge(seed=vote), learner, skills, at))
    return [
        finding(name, matches_to_reach(np.stack(some), at, target, level=level, seed=seed), target=target)
        for name, some in curves.items()
    ]
