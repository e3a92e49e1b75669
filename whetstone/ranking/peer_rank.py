"""Peer rank: the systems judge each other, and a judge's word counts as much as its own answers are worth.

The statistics alone: the discussion in which two judges argue until they agree asks models and is a judge, not a
ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking._peers import vote, weighted, win_rates
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.elo import elo
from whetstone.ranking.ranking import Ranking

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PeerRank:
    """A ranking by mutual review.

    Attributes:
        ranking: scores are win rates, or Elo ratings, under the judges' weights.
        judges: names; `weights` [judges] sum to 1.
        history: [rounds + 1, judges] weights from the equal ones at the start to the last.
        settled: did the weights come to rest?
        votes: one comparison for each pair on each item (group), by the judges' weighted word.
    """

    ranking: Ranking
    judges: tuple[str, ...]
    weights: Floats
    history: Floats
    settled: bool
    votes: Comparisons


@method(
    "ranking",
    papers=("PRD: Peer Rank and Discussion Improve Large Language Model based Evaluations",),
    checked="tests/ranking/test_peer_rank.py::test_planted_skills_come_out_and_who_favours_itself_loses_weight",
)
def peer_rank(
    comparisons: Comparisons,
    *,
    score: str = "win_rate",
    reweight: str = "minmax",
    rounds: int = 100,
    own: bool = True,
    band: float = 0.01,
    orders: int = 100,
    seed: int = 0,
) -> PeerRank:
    """Rank systems that judge each other, judges weighted by their own scores until the weights come to rest.

    Args:
        comparisons: with the judge of each row. A judge that has the name of a system is a peer; the others count with
            the mean weight of the peers.
        score: "win_rate", or "elo" (K-factor 32, mean over random orders).
        reweight: weights of the judges from their scores: "minmax" (the lowest judge gets 0) or "softmax".
        rounds: of reweighting, at most; the paper takes 5.
        own: count the rows in which a judge judges itself.
        band: weighted mean outcome that still is a tie in `votes`.
        orders: random orders that Elo is averaged over.
        seed: of these orders.

    Raises:
        ConfigError: an unknown option.
        TaskError: no judge column, no peers among the judges, a system without comparisons.

    Source: "PRD: Peer Rank and Discussion Improve Large Language Model based Evaluations" (peer rank).
    """
    if score not in ("win_rate", "elo") or reweight not in ("minmax", "softmax") or rounds < 1:
        raise ConfigError("score is 'win_rate' or 'elo', reweight 'minmax' or 'softmax', and rounds 1 or more")
    rows = comparisons if own else _of_others(comparisons)
    position = {name: i for i, name in enumerate(rows.names)}
    peers = np.array([judge in position for judge in rows.judges])
    if not peers.any():
        raise TaskError("no judge has the name of a system, so there are no peers: rank with fixed weights instead")
    systems = np.array([position[judge] for judge in rows.judges if judge in position])

    def scores(weights: Floats) -> Floats:
        heard = weighted(rows, weights * len(weights))
        found = win_rates(heard) if score == "win_rate" else elo(heard, k_factor=32, orders=orders, seed=seed).scores
        if np.isnan(found).any():
            raise TaskError(f"{rows.names[int(np.argmax(np.isnan(found)))]!r} has no comparison by a judge that counts")
        return found

    history = [np.full(len(rows.judges), 1 / len(rows.judges))]
    settled = False
    while not settled and len(history) <= rounds:
        history.append(_weights(scores(history[-1])[systems], peers, reweight))
        settled = bool(np.abs(history[-1] - history[-2]).max() < 1e-9)
    notes = () if settled else (f"the judges' weights were still moving after {rounds} rounds",)
    settings: dict[str, Json] = {"score": score, "reweight": reweight, "rounds": len(history) - 1, "own": own}
    final = scores(history[-1])
    return PeerRank(
        Ranking("peer_rank", rows.names, final, n=len(rows), settings=settings, notes=notes),
        rows.judges,
        history[-1],
        np.stack(history),
        settled,
        vote(weighted(rows, history[-1]), band=band),
    )


def _weights(scores: Floats, peers: NDArray[np.bool_], reweight: str) -> Floats:
    spread = np.ptp(scores)
    if spread == 0:
        raw = np.ones(len(scores))
    elif reweight == "minmax":
        raw = (scores - scores.min()) / spread
    else:
        raw = np.exp(scores - scores.max())
    weights = np.full(len(peers), raw.mean())
    weights[peers] = raw
    total: Floats = weights / weights.sum()
    return total


def _of_others(comparisons: Comparisons) -> Comparisons:
    if comparisons.judge is None:
        raise TaskError("who judged each comparison must be known: fill the judge column")
    judge = np.array([comparisons.names.index(j) if j in comparisons.names else -1 for j in comparisons.judges])
    who = judge[comparisons.judge]
    kept = (comparisons.left != who) & (comparisons.right != who)
    if not kept.any():
        raise TaskError("every comparison is judged by one of the two systems in it")
    return comparisons.take(kept)
