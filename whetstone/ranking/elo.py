"""Elo ratings: one pass over the comparisons, in their order or averaged over random orders."""

from __future__ import annotations

import math

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking._ranked import left_out
from whetstone.ranking._replay import replay, replay_orders
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.ranking import Ranking

ORDER = "the ratings depend on the order of the rows: give orders=100 to average over orders"


@method("ranking", checked="tests/ranking/test_elo.py::test_finds_the_planted_order")
def elo(
    comparisons: Comparisons,
    *,
    k_factor: float = 4.0,
    orders: int = 0,
    start: float = 1000.0,
    base: float = 10.0,
    scale: float = 400.0,
    seed: int = 0,
) -> Ranking:
    """Elo ratings after one pass over the comparisons; a tie is half a win for each.

    Args:
        comparisons: rows; a row's weight multiplies the K-factor.
        k_factor: points that move at most.
        orders: 0 plays the rows in their order; otherwise the mean over this many random orders.
        start: rating before the first comparison.
        base, scale: `scale` points of difference multiply the odds of winning by `base`.
        seed: of the random orders.

    Returns:
        Ratings [k] whose mean is `start`. They have no interval: how much they depend on the order of the rows is what
        `elo_reliability` says.

    Raises:
        ConfigError: a setting that makes no sense.

    Source: Elo, "The rating of chessplayers, past and present" (1978); averaging over orders: Boubdir et al., "Elo
    Uncovered: Robustness and Best Practices in Language Model Evaluation" (2023).
    """
    if orders < 0 or k_factor <= 0 or base <= 1 or scale <= 0:
        raise ConfigError("Elo needs orders of 0 or more, a k_factor and a scale above 0 and a base above 1")
    rate = math.log(base) / scale
    if orders:
        scores = replay_orders(comparisons, [k_factor], orders=orders, start=start, rate=rate, seed=seed)[0].mean(0)
    else:
        scores = replay(comparisons, k_factor, start=start, rate=rate)
    return Ranking(
        "elo",
        comparisons.names,
        scores,
        n=len(comparisons),
        settings={
            "scale": f"{scale:g} points multiply the odds by {base:g}",
            "k_factor": k_factor,
            "orders": orders,
            "start": start,
            "seed": seed,
        },
        notes=(*left_out(comparisons), *(() if orders else (ORDER,))),
    )
