"""Social choice: every rule by its name, on a table of scores or on counts of comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.ranking import Ranking
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


@method(
    "ranking",
    papers=("Vote'n'Rank: Revision of Benchmarking with Social Choice Theory",),
    checked="tests/ranking/test_social_choice.py::test_textbook_election_has_four_winners_by_four_rules",
)
def social_choice(
    data: ScoreTable | Counts,
    *,
    rule: str = "copeland",
    two_step: bool = False,
    group_weights: Mapping[str, float] | None = None,
) -> Ranking:
    """Rank systems over tasks by a rule of social choice instead of by mean score.

    Args:
        data: scores of systems on tasks, weights and gaps included; or counts of comparisons, which the rules that
            read who beats whom take too.
        rule: one of `RULES`.
        two_step: apply the rule inside each group of tasks first, then to the groups' results, every group as one task.
        group_weights: weight of each group in the second step; None: all count once.

    Raises:
        ConfigError: an unknown rule, one that cannot read counts, two steps without groups.
        TaskError: data that the rule cannot read (a negative score for the geometric mean).

    Source: "Vote'n'Rank: Revision of Benchmarking with Social Choice Theory".
    """
    if isinstance(data, Counts):
        if rule in BY_SCORES or two_step:
            raise ConfigError(f"{rule!r} needs a table of scores; on counts of comparisons use {_names(BY_MAJORITY)}")
        support, n, notes = data.wins, data.n, []
        scores = _by_majority(rule)(support)
    else:
        table = grouped(data, rule, weights=group_weights) if two_step else data
        scores, support = score(table, rule), majority.support(table)
        n, notes = int((~np.isnan(data.scores)).sum()), _gaps(data)
    names = data.names
    winner, loser = majority.condorcet_winner(support), majority.condorcet_loser(support)
    top = [names[i] for i in majority.condorcet_set(support)]
    if winner is None:
        notes.append(f"no system beats all others; the smallest set that beats the rest is {', '.join(top)}")
    settings: dict[str, Any] = {
        "rule": rule,
        "two_step": two_step,
        "winners": [names[i] for i in winners(scores)],
        "condorcet_winner": None if winner is None else names[winner],
        "condorcet_loser": None if loser is None else names[loser],
        "condorcet_set": top,
    }
    return Ranking("social_choice", names, scores, n=n, settings=settings, notes=tuple(notes))


def score(table: ScoreTable, rule: str) -> Floats:
    """[k] scores of the systems by one of `RULES`; higher is better, equal scores are ties."""
    if rule in BY_SCORES:
        return BY_SCORES[rule](table)
    return _by_majority(rule)(majority.support(table))


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


def _by_majority(rule: str) -> Callable[[Floats], Floats]:
    if rule not in BY_MAJORITY:
        raise ConfigError(f"no rule is called {rule!r}; known: {', '.join(RULES)}")
    return BY_MAJORITY[rule]


def _gaps(table: ScoreTable) -> list[str]:
    if not table.missing:
        return []
    return [f"{table.missing} of {table.scores.size} scores are missing"]


def _names(rules: Mapping[str, Any]) -> str:
    return ", ".join(rules)
