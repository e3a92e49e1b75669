"""Strengths as humans would vote, from few human votes and many judge votes whose error is carried along."""

from __future__ import annotations

from typing import Literal

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking._powered import Powered
from whetstone.ranking._prior import grounds_of
from whetstone.ranking._ranked import left_out, ranked
from whetstone.ranking._votes import items_of
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.ranking import Ranking


@method(
    "ranking", checked="tests/ranking/test_prediction_powered.py::test_covers_what_humans_think_though_the_judge_errs"
)
def prediction_powered(
    comparisons: Comparisons,
    *,
    human: str = "human",
    power: float | None = None,
    ties: Literal["half", "davidson"] = "half",
    prior: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Bradley-Terry strengths of human votes, sharpened by judge votes, right however wrong the judge is.

    The likelihood of the human votes, plus `power` times that of judge votes where no human voted, minus the same of
    judge votes where one did: the judge's error cancels. Votes on the same pair in the same group are one item, and
    items with a human vote must be a random part of all.

    Args:
        comparisons: votes with judge and group.
        human: name of the human judge, or what the names of all humans begin with.
        power: 0 ignores the judge, 1 trusts it fully; None: what makes the strengths most certain, between 0 and 1.
        ties: "half" a win for each, or "davidson" with a tie parameter.
        prior: comparisons, half won, that each system gets against an imagined one of strength 0; None: none where the
            human votes identify the strengths, else 1.
        level: of each limit, and of ranks and tiers all at once.
        seed: of the draws behind ranks and tiers.

    Returns:
        Log-odds [k] with mean 0 and a sandwich covariance, clustered by group. `settings["width"]` is the mean width
        of the intervals as a share of that from human votes alone.

    Raises:
        TaskError: votes that cannot be matched.
        ConfigError: `power` is not between 0 and 1.

    Source: Angelopoulos, Duchi and Zrnic, "PPI++: efficient prediction-powered inference" (2023), for generalised
    linear models, with the tuning made for clusters.
    """
    if power is not None and not 0 <= power <= 1:
        raise ConfigError(f"power must lie between 0 and 1, not {power}")
    items = items_of(comparisons, human)
    votes = comparisons.take(items.by_human)
    grounds = grounds_of(count(votes), prior)
    tied = ties == "davidson" and bool((votes.outcome == 0).any())
    k = len(comparisons.names)
    problem = Powered.of(items, tied=tied, grounds=grounds)
    alone = problem.maximum(0.0, np.zeros(k + int(tied)))
    spread_alone, tuned = problem.spread(alone, 0.0)
    chosen = tuned if power is None else power
    fit = problem.maximum(chosen, alone.parameters)
    spread = problem.spread(fit, chosen)[0]
    widths = [np.sqrt(part.covariance.diagonal()[:k]).mean() for part in (spread, spread_alone)]
    both = int((items.with_human & items.with_judge).sum())
    return ranked(
        "prediction_powered",
        comparisons.names,
        fit.parameters[:k] - fit.parameters[:k].mean(),
        spread,
        n=len(comparisons),
        level=level,
        seed=seed,
        settings={
            "scale": "natural log-odds of human votes",
            "power": chosen,
            "width": float(widths[0] / widths[1]),
            "items": {"human": int(items.with_human.sum()), "judge": int(items.with_judge.sum()), "both": both},
            "ties": ties,
            "prior": grounds.weight,
        },
        notes=(*left_out(comparisons), *grounds.notes),
        part=grounds.part,
    )
