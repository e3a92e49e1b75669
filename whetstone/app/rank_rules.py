"""What the rules of social choice say of one table, by name: ranks, winners, agreement, disputes and cycles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from whetstone.app.rank_files import Data
from whetstone.ranking.comparisons import Comparisons, Rankings, count
from whetstone.ranking.score_table import ScoreTable

ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule of social choice says: its winners, and the rank of every system."""

    name: str
    winners: tuple[str, ...]
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two systems that rules put in different orders; see `rule_disagreement`."""

    first: str
    second: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    margin: float
    cause: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A majority cycle: each of `path` beats the next, and the last the first, by `margin` or more."""

    path: tuple[str, ...]
    margin: float
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Where rules of social choice differ.

    `agreement` is Kendall's tau-b between rules, None where one ties all systems.
    """

    rules: tuple[Rule, ...]
    agreement: tuple[tuple[float | None, ...], ...]
    disputes: tuple[Dispute, ...]
    cycles: tuple[Loop, ...]
    notes: tuple[str, ...]


def compared_rules(data: Data) -> Rules:
    """Rank by every rule that can read the data, and say where they differ."""
    # Rules bring solvers that a ranking of battles does not need.
    from whetstone.ranking.rule_disagreement import rule_disagreement

    source = count(data) if isinstance(data, Comparisons) else data
    found = rule_disagreement(ScoreTable.from_rankings(source) if isinstance(source, Rankings) else source)
    rules = []
    for name, ranking in found.rankings.items():
        ranks = {
            system: 1 + int((ranking.scores > score + ALIKE).sum())
            for system, score in zip(ranking.names, ranking.scores, strict=True)
        }
        rules.append(Rule(name, found.winners[name], ranks))
    return Rules(
        tuple(rules),
        tuple(tuple(float(value) if math.isfinite(value) else None for value in row) for row in found.agreement),
        tuple(Dispute(d.first, d.second, d.above, d.below, d.margin, d.cause) for d in found.disputes),
        tuple(
            Loop(tuple(found.names[i] for i in loop.path), loop.margin, tuple(found.names[i] for i in loop.members))
            for loop in found.cycles
        ),
        found.notes,
    )
