"""Do ratings and rankings of the same answers say the same?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.stats import finding, proportion

Floats = NDArray[np.float64]


@method(
    "table",
    papers=("Peering Through Preferences: Unraveling Feedback Acquisition for Aligning Large Language Models",),
    checked="tests/audits/test_ratings_against_rankings.py::test_recovers_the_inconsistency_of_annotators_of_known_noise",
)
def ratings_against_rankings(
    ratings: ArrayLike,
    rankings: ArrayLike,
    *,
    features: Sequence[Sequence[float]] | None = None,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> list[Finding]:
    """Inconsistency of the preferences that ratings imply with those that direct comparisons state.

    Args:
        ratings: [pairs, 2] ratings of both answers.
        rankings: [pairs] 1: the first was preferred, -1: the second, 0: equal.
        features: [pairs, d] differences of the answers' features, first minus second, from which two linear rewards
            are learned on half of the pairs.
        groups: cluster of each pair.
        seed: of the halves.

    Returns:
        `inconsistency`: share of pairs whose two preferences differ, ties being a preference of their own;
        `contradiction`: share with opposite winners among pairs that both decide; `rating_ties`, `ranking_ties`. With
        features also `trained on X, judged by Y`: accuracy on the other half of rewards learned from ratings (least
        squares) and from rankings (logistic), against the winners by either protocol.
    """
    rated, ranked = np.asarray(ratings, dtype=np.float64), np.asarray(rankings, dtype=np.float64)
    if rated.shape != (len(ranked), 2):
        raise ConfigError(f"ratings must be [pairs, 2] with as many pairs as rankings: {rated.shape}, {ranked.shape}")
    gap = rated[:, 0] - rated[:, 1]
    implied = np.sign(gap)
    decided = (implied != 0) & (ranked != 0)
    where = None if groups is None else [group for group, both in zip(groups, decided, strict=True) if both]
    found = [
        finding("inconsistency", proportion((implied != ranked).astype(float), groups=groups)),
        finding("contradiction", proportion((implied != ranked)[decided].astype(float), groups=where)),
        finding("rating_ties", proportion((implied == 0).astype(float), groups=groups)),
        finding("ranking_ties", proportion((ranked == 0).astype(float), groups=groups)),
    ]
    if features is None:
        return found
    x = np.asarray(features, dtype=np.float64)
    train = np.random.default_rng(seed).permutation(len(x)) < len(x) // 2
    rewards = {
        "ratings": np.linalg.lstsq(x[train], gap[train], rcond=None)[0],
        "rankings": _logistic(x[train & (ranked != 0)], ranked[train & (ranked != 0)]),
    }
    for taught, reward in rewards.items():
        for protocol, winner in (("ratings", implied), ("rankings", ranked)):
            test = ~train & (winner != 0)
            right = (np.sign(x[test] @ reward) == winner[test]).astype(float)
            found.append(finding(f"trained on {taught}, judged by {protocol}", proportion(right)))
    return found


def _logistic(x: Floats, winner: Floats) -> Floats:
    """Weights of a Bradley-Terry reward on differences of features, with a slight ridge."""
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = scipy.special.expit(winner * (x @ weights))
        gradient = x.T @ (winner * (1 - p)) - 1e-3 * weights
        weights = weights + np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(x.shape[1]), gradient)
    return weights
