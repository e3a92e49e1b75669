"""How far Elo ratings can be trusted: do they hang on the order of the matches, do they contradict the win rates?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking._majority import Bools, cycles, established, observed
from whetstone.ranking._newton import Floats
from whetstone.ranking._ranked import left_out
from whetstone.ranking._replay import replay_orders
from whetstone.ranking.comparisons import Comparisons, Counts, count

LEAST_ORDERS = 100


@dataclass(frozen=True, eq=False)
class EloReliability:
    """What replaying the comparisons in many orders shows, for each of G values of K.

    Attributes:
        names: the k systems.
        k_factors: [G]
        ratings, deviations: [G, k] mean and standard deviation of each rating over the orders.
        agreement: [G] share of orders in which a pair stands as it does in the mean ratings, averaged over pairs.
        same_ranking: [G] share of orders that rank all systems as the mean ratings do.
        triples: three systems of which the data say a > b, b > c and not c > a.
        broken_triples: [G] those that the mean ratings put in another order.
        contradicted: [G] pairs whose loser beyond doubt has the higher mean rating.
        cycles: systems that beat each other in a circle, each link beyond doubt at once; in beating order.
        log_loss: [G] log loss of the win probabilities that the mean ratings imply, on the comparisons themselves.
        k_factor, orders: recommended settings: the K whose ratings fit best, and orders enough that the order moves no
            mean rating by more than `tolerance` points.
        notes: the findings in words.
    """

    names: tuple[str, ...]
    k_factors: tuple[float, ...]
    ratings: Floats
    deviations: Floats
    agreement: Floats
    same_ranking: Floats
    triples: int
    broken_triples: tuple[int, ...]
    contradicted: tuple[tuple[tuple[str, str], ...], ...]
    cycles: tuple[tuple[str, ...], ...]
    log_loss: Floats
    k_factor: float
    orders: int
    notes: tuple[str, ...]


@method(
    "ranking",
    papers=("Elo Uncovered: Robustness and Best Practices in Language Model Evaluation",),
    checked="tests/ranking/test_elo.py::test_reliability_finds_a_planted_cycle_and_none_where_there_is_none",
)
def elo_reliability(
    comparisons: Comparisons,
    *,
    k_factors: tuple[float, ...] = (1.0, 4.0, 8.0, 16.0, 32.0),
    orders: int = LEAST_ORDERS,
    tolerance: float = 1.0,
    level: float = 0.95,
    start: float = 1000.0,
    seed: int = 0,
) -> EloReliability:
    """Replay the comparisons in random orders with several K: variance, order stability, transitivity, settings.

    Args:
        comparisons: rows; the scale is 400 points to the factor 10 in odds.
        k_factors: values of K to try.
        orders: random orders, the same for each K.
        tolerance: points by which the order may move a mean rating in the recommended settings.
        level: confidence that all links of all cycles, and all contradicted pairs, are real at once.
        start: rating before the first comparison.
        seed: of the orders.

    Raises:
        ConfigError: fewer than two orders, no K or a K that is not above 0.

    Source: Boubdir et al. (2023), sections on permutations, K-factors and transitivity; that the recommended K is the
    one that fits best is this project's reading of "smaller K for stable data, larger K where win rates are skewed".
    """
    if orders < 2 or not k_factors or min(k_factors) <= 0:
        raise ConfigError("give at least two orders and values of K above 0")
    rate = math.log(10) / 400
    every = replay_orders(comparisons, k_factors, orders=orders, start=start, rate=rate, seed=seed)
    counts, ratings, deviations = count(comparisons), every.mean(axis=1), every.std(axis=1, ddof=1)
    above = ratings[:, :, None] > ratings[:, None, :]
    pairs = np.triu_indices(len(comparisons.names), 1)
    same = (every[:, :, pairs[0]] > every[:, :, pairs[1]]) == above[:, None, pairs[0], pairs[1]]
    beats, sure = observed(counts), established(counts, level=level)
    triples, kept = _triples(beats, beats), [_triples(beats, beats & order) for order in above]
    loss = np.asarray([_log_loss(counts, rating * rate) for rating in ratings])
    best = int(np.argmin(loss))
    contradicted = tuple(_pairs(comparisons.names, sure & order.T) for order in above)
    circles = tuple(tuple(comparisons.names[i] for i in circle) for circle in cycles(sure))
    needed = max(LEAST_ORDERS, math.ceil((1.96 * float(deviations[best].max()) / tolerance) ** 2))
    return EloReliability(
        comparisons.names,
        k_factors,
        ratings,
        deviations,
        same.mean(axis=(1, 2)),
        same.all(axis=2).mean(axis=1),
        triples,
        tuple(triples - n for n in kept),
        contradicted,
        circles,
        loss,
        k_factors[best],
        needed,
        (
            *left_out(comparisons),
            f"K={k_factors[best]:g} fits best; one order moves a rating by {deviations[best].max():.1f} points "
            f"(standard deviation, worst system): average over {needed} orders",
            *(f"{' > '.join((*circle, circle[0]))}: no rating can order these" for circle in circles),
            *(f"{a} beats {b} but is rated lower" for a, b in contradicted[best]),
        ),
    )


def _triples(beats: Bools, links: Bools) -> int:
    """Ordered triples a > b > c over `links` of which c does not beat a."""
    return int(((links.astype(np.int64) @ links) * ~beats.T).sum())


def _pairs(names: tuple[str, ...], which: Bools) -> tuple[tuple[str, str], ...]:
    return tuple((names[i], names[j]) for i, j in np.argwhere(which))


def _log_loss(counts: Counts, strengths: Floats) -> float:
    surprise = np.logaddexp(0.0, strengths[None, :] - strengths[:, None])
    return float((counts.points * surprise).sum() / counts.points.sum())
