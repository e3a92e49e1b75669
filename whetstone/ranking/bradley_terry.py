"""Bradley-Terry strengths with ties, intervals, ranks and tiers; once counted, the cost does not grow with the rows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.strengths import fit_strengths
from whetstone.ranking.tiers import ranks, separate, tiers
from whetstone.ranking.ties import TIES
from whetstone.ranking.uncertainty import COVARIANCES, uncertainty

Ties = Literal["half", "drop", "davidson", "rao_kupper"]


@method(
    "ranking",
    papers=("GenAI Arena: An Open Evaluation Platform for Generative Models",),
    checked="tests/ranking/test_bradley_terry.py::test_simulated_voters_are_ranked_as_planted",
)
def bradley_terry(
    comparisons: Comparisons,
    *,
    ties: Ties = "half",
    prior: float | None = None,
    level: float = 0.95,
    covariance: Literal["auto", "sandwich", "model", "group", "judge"] = "auto",
    rounds: int = 0,
    draws: int = 1000,
    seed: int = 0,
) -> Ranking:
    """Strengths under which the comparisons are most likely, with intervals, ranks and tiers.

    Scores are natural log-odds with mean 0. Systems whose strength the data do not identify (never won, never lost,
    never compared with the others) are named in the notes; intervals are then those of the model with its prior,
    since the residuals that a sandwich is made of vanish for them.

    Args:
        ties: "half" (half a win for each), "drop", "davidson" or "rao_kupper" (models with a tie parameter).
        prior: comparisons, half won and half lost, that each system gets against an imagined one of strength 0.
            None: none where the data identify the strengths, else 1. With 0 such data are an error.
        level: of each score's interval, and of all rank intervals and tiers together.
        covariance: "sandwich" (independent comparisons, right even where the model is wrong), "model" (inverse
            information), "group" or "judge" (sandwich over clusters); "auto" is "group" where comparisons carry groups,
            else "sandwich".
        rounds: refitted bootstrap rounds, over clusters where the covariance is; 0: intervals from the covariance.
        draws: random draws for the simultaneous statements where there is no bootstrap.

    Raises:
        ConfigError: an unknown option value.
        TaskError: with `prior=0`, strengths that the data do not identify; with "drop", nothing but ties; a covariance
            over groups or judges that are not there.

    Source: Bradley and Terry 1952 and, for ties, Rao and Kupper 1967 and Davidson 1970 (see `whetstone.ranking.ties`).
    """
    _check(ties, prior, level, covariance, rounds)
    notes = [f"{number} rows not used: {reason}" for reason, number in comparisons.dropped.items() if number]
    if ties == "drop":
        comparisons, ignored = _decided(comparisons)
        notes += [f"{ignored} rows not used: ties"] if ignored else []
    counts = count(comparisons)
    name = "half" if ties == "drop" else ties
    found = fit_strengths(counts, ties=name, prior=prior)
    fit = found.fit
    settings: dict[str, Json] = {"scale": "natural log-odds", "ties": ties, "prior": fit.prior, "level": level}
    if fit.tie is not None:
        settings["tie"] = fit.tie

    known = uncertainty(
        comparisons, found, name, level=level, covariance=covariance, rounds=rounds, draws=draws, seed=seed
    )
    part = found.diagnosis.part
    better, critical = separate(fit.strengths, known.covariance, known.errors, level=level, part=part)
    best, worst = ranks(better)
    return Ranking(
        "bradley_terry", counts.names, fit.strengths, known.covariance, known.low, known.high, best, worst,
        tiers(better), counts.n, settings | known.settings | {"critical": critical},
        (*notes, *found.notes, *known.notes),
    )  # fmt: skip


def _check(ties: str, prior: float | None, level: float, covariance: str, rounds: int) -> None:
    for option, value, known in (("ties", ties, (*TIES, "drop")), ("covariance", covariance, COVARIANCES)):
        if value not in known:
            raise ConfigError(f"{option} is {value!r}; it can be {', '.join(known)}")
    if not 0 < level < 1:
        raise ConfigError(f"level is {level}; it must be between 0 and 1")
    if prior is not None and not (np.isfinite(prior) and prior >= 0):
        raise ConfigError(f"prior is {prior}; it must be a number from 0 up")
    if rounds < 0 or rounds == 1:
        raise ConfigError(f"{rounds} rounds; it takes 0 (no bootstrap) or at least 2")


def _decided(comparisons: Comparisons) -> tuple[Comparisons, int]:
    """The comparisons that somebody won, and how many nobody did."""
    decided = comparisons.outcome != 0
    if not decided.any():
        raise TaskError(f"all {len(comparisons)} comparisons are ties, and ties='drop' leaves nothing to rank")
    return comparisons.take(decided), int((~decided).sum())
