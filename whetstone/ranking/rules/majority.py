"""Rules that read who beats whom: Condorcet, Copeland, minimax, Schulze, ranked pairs.

All take `support` [k, k]: the weight of the tasks (or votes, or battles) in which the row's system beat the column's.
A task on which one of the two has no score says nothing about the pair.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from whetstone.ranking.rules.settle import by_order, settle
from whetstone.ranking.score_table import ScoreTable

Floats = NDArray[np.float64]
Strength = Literal["margin", "winning"]


def support(table: ScoreTable) -> Floats:
    """[k, k] weight of the tasks on which the row's system has a higher score than the column's."""
    weight = table.weight
    rows = [(row > table.scores) @ weight for row in table.scores]
    return settle(np.stack(rows), float(weight.sum()))


def margins(support: Floats) -> Floats:
    """[k, k] support for the row's system over the column's, less the support for the contrary; antisymmetric."""
    return settle(support - support.T, float(support.max(initial=0.0)))


def condorcet_winner(support: Floats) -> int | None:
    """The system that beats every other one, if there is one."""
    wins = (margins(support) > 0).sum(axis=1)
    return int(np.argmax(wins)) if wins.max() == len(wins) - 1 else None


def condorcet_loser(support: Floats) -> int | None:
    """The system that every other one beats, if there is one."""
    return condorcet_winner(support.T)


def condorcet_set(support: Floats) -> NDArray[np.intp]:
    """The smallest set whose members beat everyone outside it (Smith set): the Condorcet winner, or the top cycle."""
    return np.flatnonzero(components(support) == 0)


def components(support: Floats) -> NDArray[np.intp]:
    """[k] number of the component that each system belongs to, from 0, the best.

    Every member of a component beats every member of the later ones. Two systems share a component where neither, by a
    chain of wins and draws, can be put above the other: a component of several is what cycles and draws make.
    """
    margin = margins(support)
    label = connected_components(csr_array(margin >= 0), directed=True, connection="strong")[1]
    beaten_outside = ((margin > 0) & (label[:, None] != label[None, :])).sum(axis=1)
    return np.unique(-beaten_outside, return_inverse=True)[1]


def copeland(support: Floats, *, ties: float = 0.0, losses: float = -1.0) -> Floats:
    """[k] number of systems beaten, less the number of those that beat it.

    Args:
        ties, losses: points for a draw and a loss; 0.5 and 0 give the form "wins and half the draws".
    """
    margin = margins(support)
    draws = (margin == 0).sum(axis=1) - 1
    scores: Floats = (margin > 0).sum(axis=1) + ties * draws + losses * (margin < 0).sum(axis=1)
    return scores


def minimax(support: Floats, *, strength: Literal["winning", "margin", "opposition"] = "winning") -> Floats:
    """[k] minus the strength of a system's worst defeat.

    Args:
        strength: "winning": support of the winner where it won, else 0; "margin": support less that of the contrary,
            negative for the least narrow of all wins; "opposition": support against, won or not.
    """
    margin = margins(support)
    against = {"winning": np.where(margin > 0, support, 0.0), "margin": margin, "opposition": support}[strength].T
    worst: Floats = -np.where(np.eye(len(support), dtype=bool), -np.inf, against).max(axis=1)
    return worst + 0.0


def schulze(support: Floats, *, strength: Strength = "margin") -> Floats:
    """[k] number of systems that one beats by the strongest path of wins, less those that beat it so.

    Source: Schulze, "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
    election method" (2011).
    """
    path = _strengths(support, strength)
    for via in range(len(path)):
        path = np.maximum(path, np.minimum(path[:, via, None], path[None, via, :]))
    return by_order(path > path.T)


def ranked_pairs(support: Floats, *, strength: Strength = "margin") -> Floats:
    """[k] number of systems that one stands above, less those above it, when wins are locked in from the strongest down
    and a win that would close a cycle is passed over.

    Wins of equal strength are locked together, but for those that lie on a cycle with each other and what is locked:
    no name and no order of rows decides.

    Source: Tideman, "Independence of clones as a criterion for voting rules" (1987).
    """
    size = _strengths(support, strength)
    above = np.eye(len(size), dtype=bool)
    for level in np.unique(size[size > 0])[::-1]:
        wins = (size == level) & ~above.T
        component = connected_components(csr_array(above | wins), directed=True, connection="strong")[1]
        above = _closure(above | (wins & (component[:, None] != component[None, :])))
    np.fill_diagonal(above, False)
    return by_order(above)


def _strengths(support: Floats, strength: Strength) -> Floats:
    margin = margins(support)
    return np.where(margin > 0, margin if strength == "margin" else support, 0.0)


def _closure(relation: NDArray[np.bool_]) -> NDArray[np.bool_]:
    for via in range(len(relation)):
        relation = relation | (relation[:, via, None] & relation[None, via, :])
    return relation
