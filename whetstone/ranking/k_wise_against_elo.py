"""How many fewer votes do rankings of K with chosen opponents need than Elo with random pairs, and what makes it so?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.ranking.convergence import curve, grid, matches_to_reach, ratio_to_reach
from whetstone.ranking.estimators import BradleyTerry, Elo, Estimator, Skills
from whetstone.ranking.schedules.k_wise import k_wise
from whetstone.ranking.schedules.round_robin import random_groups
from whetstone.ranking.schedules.schedule import Schedule, check
from whetstone.ranking.voters import Voters
from whetstone.stats.estimate import finding

Arm = tuple[bool, Callable[[int, int, int], Schedule[Any]], Callable[[int], Estimator]]
PAPER = 16.3
CLAIMED = "bayesian skill, chosen groups"


def _random(k: int, size: int, seed: int) -> Schedule[None]:
    return random_groups(k, size=size, seed=seed)


def _chosen(k: int, size: int, seed: int) -> Schedule[None]:
    return k_wise(k, size=size, seed=seed)


ARMS: dict[str, Arm] = {
    "Elo K=4, random pairs": (True, _random, partial(Elo, k_factor=4.0)),
    "Elo K=16, random pairs": (True, _random, partial(Elo, k_factor=16.0)),
    "Elo K=32, random pairs": (True, _random, partial(Elo, k_factor=32.0)),
    "Bradley-Terry, random pairs": (True, _random, BradleyTerry),
    "bayesian skill, random pairs": (True, _random, Skills),
    "bayesian skill, chosen pairs": (True, _chosen, Skills),
    "bayesian skill, random groups": (False, _random, Skills),
    "bayesian skill without a floor, random groups": (False, _random, partial(Skills, floor=1e-4)),
    CLAIMED: (False, _chosen, Skills),
    "Bradley-Terry, random groups": (False, _random, BradleyTerry),
}
"""By name: are votes on pairs, the schedule (systems, size of a group, seed) and the estimator."""


@method(
    "ranking",
    papers=("K-Sort Arena: Efficient and Reliable Benchmarking for Generative Models via K-wise Human Preferences",),
    checked="tests/ranking/test_k_wise_against_elo.py::test_groups_need_fewer_votes_than_elo_on_pairs",
)
def k_wise_against_elo(
    *,
    systems: int = 32,
    size: int = 4,
    deviation: float = 1.0,
    careless: float = 0.0,
    position: float = 0.0,
    targets: tuple[float, ...] = (0.9, 0.95),
    most: int = 8_000,
    arms: tuple[str, ...] = tuple(ARMS),
    runs: int = 40,
    level: float = 0.95,
    seed: int = 0,
) -> list[Finding]:
    """Votes until the mean rank correlation with planted skills reaches a target, by estimator and choice of opponents.

    Args:
        systems, size: number of systems, and of those shown in one K-wise vote.
        deviation: of the planted normal skills, in natural log-odds.
        careless, position: of the voters, see `Voters`.
        targets: Spearman correlations to reach.
        most: votes on pairs after which to give up; votes on groups are given up after a quarter of them.
        arms: some of `ARMS`.
        runs: repetitions with new skills and votes.
        level: of intervals.
        seed: same seed, same result.

    Returns:
        Votes by arm (None: not reached), and for each arm how many times more votes than `CLAIMED` it needs, in votes
        and, in the detail, in outputs shown and in comparisons implied: a ranking of K shows K and implies
        K (K - 1) / 2.

    Raises:
        ConfigError: a setting that makes no sense.

    Source of the claim: "K-Sort Arena" (2024): 16.3 times faster convergence than Elo.
    """
    check(systems, size=(size, 2), runs=(runs, 2), deviation=(deviation, 0), most=(most, 64))
    for name in arms:
        if name not in ARMS:
            raise ConfigError(f"{name!r} is not known here; it can be {', '.join(ARMS)}")
    ats = {name: grid(most if ARMS[name][0] else most // 4) for name in arms}
    curves: dict[str, list[NDArray[np.float64]]] = {name: [] for name in arms}
    for one in np.random.SeedSequence(seed).spawn(runs):
        rng = np.random.default_rng(one)
        voters = Voters(rng.normal(scale=deviation, size=systems), careless=careless, position=position)
        pick, vote = (int(s) for s in rng.integers(2**31, size=2))
        for name in arms:
            pairs, schedule, learner = ARMS[name]
            matches, judge = schedule(systems, 2 if pairs else size, pick), voters.judge(seed=vote)
            curves[name].append(curve(matches, judge, learner(systems), voters.skills, ats[name]))
    found = {name: (np.stack(some), ats[name]) for name, some in curves.items()}
    out = []
    for target in targets:
        for name in arms:
            votes = matches_to_reach(*found[name], target, level=level, seed=seed)
            out.append(finding(f"votes to {target:g}: {name}", votes))
        for name in arms:
            if name == CLAIMED or CLAIMED not in arms:
                continue
            ratio = ratio_to_reach(found[name], found[CLAIMED], target, level=level, seed=seed)
            verdict = _sentence(ratio.interval) if name.startswith("Elo") else ""
            each = (2 / size, 2 / (size * (size - 1))) if ARMS[name][0] else (1.0, 1.0)
            outputs, comparisons = (None if ratio.value is None else ratio.value * times for times in each)
            out.append(
                finding(
                    f"times the votes to {target:g}: {name}",
                    ratio,
                    verdict=verdict,
                    times_the_outputs=outputs,
                    times_the_comparisons=comparisons,
                )
            )
    return out


def _sentence(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "not measured"
    if interval[0] > PAPER:
        return f"more than the {PAPER} of the paper"
    return (
        f"less than the {PAPER} of the paper" if interval[1] < PAPER else f"does not exclude the {PAPER} of the paper"
    )
