"""Every rule of social choice by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.rules import lotteries, majority, positional
from whetstone.ranking.rules.kemeny import kemeny
from whetstone.ranking.score_table import ScoreTable

Floats = NDArray[np.float64]

BY_SCORES: Mapping[str, Callable[[ScoreTable], Floats]] = {
    "mean": positional.mean,
    "geometric_mean": positional.geometric_mean,
    "optimality_gap": positional.optimality_gap,
    "plurality": positional.plurality,
    "borda": positional.borda,
    "mean_rank": lambda table: positional.borda(table, ties="average"),
    "dowdall": positional.dowdall,
    "threshold": positional.threshold,
    "baldwin": positional.baldwin,
    "nash_of_tasks": lotteries.nash_of_tasks,
}
BY_MAJORITY: Mapping[str, Callable[[Floats], Floats]] = {
    "copeland": majority.copeland,
    "minimax": majority.minimax,
    "schulze": majority.schulze,
    "ranked_pairs": majority.ranked_pairs,
    "kemeny": lambda support: len(support) - 1 - kemeny(support).place,
    "maximal_lottery": lotteries.maximal_lottery,
    "nash_averaging": lotteries.nash_averaging,
}
RULES = (*BY_SCORES, *BY_MAJORITY)


def score(table: ScoreTable, rule: str) -> Floats:
    """[k] scores of the systems by one of `RULES`; higher is better, equal scores are ties."""
    if rule in BY_SCORES:
        return BY_SCORES[rule](table)
    return by_majority(rule)(majority.support(table))


def winners(scores: Floats) -> list[int]:
    """Positions of the best; several where they tie."""
    return [int(i) for i in np.flatnonzero(scores == scores.max())]


def grouped(table: ScoreTable, rule: str, *, weights: Mapping[str, float] | None = None) -> ScoreTable:
    """Each group of tasks as one task: a system's score there is its score by the rule inside the group.

    A system without a score in a group has none there.
    """
    if table.groups is None:
        raise ConfigError("two steps need the group of each task")
    labels = tuple(dict.fromkeys(table.groups))
    scores = np.full((len(table.names), len(labels)), np.nan)
    member = np.asarray(table.groups)
    for column, label in enumerate(labels):
        here = np.flatnonzero(member == label)
        there = np.flatnonzero(~np.isnan(table.scores[:, here]).all(axis=1))
        if there.size > 1:
            part = table.take(there)
            scores[there, column] = score(part.select(np.flatnonzero(np.asarray(part.groups) == label)), rule)
    alone = [label for column, label in enumerate(labels) if np.isnan(scores[:, column]).all()]
    if alone:
        raise TaskError(f"group {alone[0]!r} has scores of fewer than two systems: leave it out")
    if weights is not None and set(weights) != set(labels):
        raise ConfigError(f"weights for the groups {', '.join(sorted(weights))}; the table has {', '.join(labels)}")
    return ScoreTable(table.names, labels, scores, np.array([weights[g] for g in labels]) if weights else None)


def by_majority(rule: str) -> Callable[[Floats], Floats]:
    """The rule of this name that reads who beats whom. Raises ConfigError that lists what is known."""
    if rule not in BY_MAJORITY:
        raise ConfigError(f"no rule is called {rule!r}; known: {', '.join(RULES)}")
    return BY_MAJORITY[rule]
