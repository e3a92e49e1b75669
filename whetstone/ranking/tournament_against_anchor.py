"""Does a tournament order systems better than comparing all with one reference, at the same number of matches?"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.ranking.convergence import curve
from whetstone.ranking.estimators import BradleyTerry
from whetstone.ranking.schedules.round_robin import anchored, random_groups, round_robin
from whetstone.ranking.schedules.schedule import Schedule, check
from whetstone.ranking.schedules.single_elimination import single_elimination
from whetstone.ranking.voters import Voters
from whetstone.stats.bootstrap import bootstrap_mean
from whetstone.stats.estimate import finding
from whetstone.stats.paired import paired_permutation

Floats = NDArray[np.float64]
ANCHORS = {"anchored, median reference": 0.0, "anchored, strong reference": 2.0, "anchored, weak reference": -2.0}
"""Strength of the reference in standard deviations of the systems' skills."""


@method(
    "ranking",
    papers=("Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models",),
    checked="tests/ranking/test_tournament.py::test_an_anchor_far_from_the_systems_loses_against_a_tournament",
)
def tournament_against_anchor(
    *,
    systems: int = 16,
    items: int = 50,
    deviation: float = 0.7,
    spread: float = 1.0,
    tie: float = 0.0,
    position: float = 0.0,
    careless: float = 0.0,
    runs: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> list[Finding]:
    """Rank correlation with planted skills of a tournament, of comparison with a reference, and of a round robin.

    Every schedule but the last gets items * (systems - 1) matches with the same voters; Bradley-Terry strengths of
    the results are compared with the skills.

    Args:
        systems, items: of the tournament; the others take as many items as the matches last for.
        deviation: of the planted normal skills, in natural log-odds (0.7 is 120 points of Elo).
        spread, tie, position, careless: of the voters, see `Voters`.
        runs: repetitions with new skills, outputs and votes.
        level: of intervals.
        seed: same seed, same result.

    Returns:
        Mean Spearman correlation by schedule, and by how much the tournament exceeds each of the others, paired by
        run.

    Raises:
        ConfigError: a setting that makes no sense.

    Source of the claim: "Varco Arena" (2024): tournaments align better with Elo ratings than anchored comparison.
    """
    check(systems, items=(items, 1), runs=(runs, 2), deviation=(deviation, 0))
    found: dict[str, list[float]] = {}
    for one in np.random.SeedSequence(seed).spawn(runs):
        rng = np.random.default_rng(one)
        skills = rng.normal(scale=deviation, size=systems)
        for name, value in _run(skills, items, deviation, rng, (spread, 1.0, tie, position, careless)).items():
            found.setdefault(name, []).append(value)
    matches = items * (systems - 1)
    out = [
        finding(
            name,
            bootstrap_mean(values, level=level, seed=seed),
            matches=matches * (systems / 2 if name == "round robin on every item" else 1),
        )
        for name, values in found.items()
    ]
    for name in list(found)[1:]:
        test = paired_permutation(found["tournament"], found[name], level=level, seed=seed)
        out.append(finding(f"tournament minus {name}", test, verdict=_sentence(test.effect.interval)))
    return out


def _run(
    skills: Floats, items: int, deviation: float, rng: np.random.Generator, setting: tuple[float, ...]
) -> dict[str, float]:
    k = len(skills)
    matches, pairs = items * (k - 1), k * (k - 1) // 2

    def correlation(schedule: Schedule[Any], everyone: Voters, most: int = matches) -> float:
        truth = np.append(skills, [np.nan] * (len(everyone.skills) - k))
        return float(curve(schedule, everyone.judge(seed=drawn()), BradleyTerry(len(truth)), truth, [most])[0])

    def drawn() -> int:
        return int(rng.integers(2**31))

    voters = Voters(skills, *setting)
    out = {"tournament": correlation(single_elimination(k, items=items, seed=drawn()), voters)}
    for name, at in ANCHORS.items():
        schedule = anchored(k + 1, anchor=k, items=ceil(matches / k), seed=drawn())
        out[name] = correlation(schedule, Voters(np.append(skills, at * deviation), *setting))
    out["random pairs"] = correlation(random_groups(k, items=items, seed=drawn()), voters)
    out["round robin"] = correlation(round_robin(k, items=ceil(matches / pairs), seed=drawn()), voters)
    whole = round_robin(k, items=items, seed=drawn())
    return out | {"round robin on every item": correlation(whole, voters, items * pairs)}


def _sentence(interval: tuple[float, float] | None) -> str:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "no clear difference"
    return "the tournament is closer to the truth" if interval[0] > 0 else "the tournament is further from the truth"
