"""Where do the rules of social choice differ on these data, and what makes them differ?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.rules import majority
from whetstone.ranking.rules.by_name import BY_MAJORITY, RULES, grouped
from whetstone.ranking.rules.by_name import winners as winners_of
from whetstone.ranking.rules.cycles import Cycle, cycles
from whetstone.ranking.score_table import ScoreTable
from whetstone.ranking.social_choice import social_choice

Cause = Literal["cycle", "draw", "distance"]
STANDARD = tuple(
    rule for rule in RULES if rule not in ("geometric_mean", "optimality_gap", "mean_rank", "nash_of_tasks")
)


@dataclass(frozen=True)
class Dispute:
    """Two systems that the rules put in different orders.

    Attributes:
        first, second: names; most rules put the first one above.
        above, below: the rules that put the first above the second, and the contrary; the rest tie them.
        margin: majority of the tasks (by weight) for the first one; negative where most tasks say the contrary.
        cause: "cycle": a majority cycle leads through both; "draw": the tasks are split evenly, or the two are tied
            together by draws; "distance": the majority order is clear, and rules that weigh by how much (means,
            places, sizes of defeats) go against it.
    """

    first: str
    second: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    margin: float
    cause: Cause


@dataclass(frozen=True, eq=False)
class Disagreement:
    """What the rules say, where they differ, and the cycles.

    Attributes:
        rankings: one for every rule.
        winners: names of the best by each rule.
        agreement: [rules, rules] Kendall's tau-b between rankings; NaN where a ranking ties everyone.
        disputes: pairs on which rules differ, the most disputed first.
        cycles: strongest majority cycles; positions in `names`.
        notes: the same in words.
    """

    names: tuple[str, ...]
    rankings: dict[str, Ranking]
    winners: dict[str, tuple[str, ...]]
    agreement: NDArray[np.float64]
    disputes: tuple[Dispute, ...]
    cycles: tuple[Cycle, ...]
    notes: tuple[str, ...]


@method(
    "ranking",
    papers=("Vote'n'Rank: Revision of Benchmarking with Social Choice Theory",),
    checked="tests/ranking/test_rule_disagreement.py::test_names_the_cycle_and_the_pairs_it_makes_disputed",
)
def rule_disagreement(data: ScoreTable | Counts, *, rules: Sequence[str] = (), two_step: bool = False) -> Disagreement:
    """Rank by every rule and say on which pairs the rules differ, and which cycles make them differ.

    Args:
        data: scores of systems on tasks, or counts of comparisons (read by the rules of majorities alone).
        rules: names of rules; none for all that can read the data.
        two_step: apply each rule inside the groups of tasks first; majorities are then those of the groups' Borda.

    Raises ConfigError on an unknown rule, or on one that cannot read the data.
    """
    chosen = tuple(rules) or (tuple(BY_MAJORITY) if isinstance(data, Counts) else STANDARD)
    if len(chosen) < 2:
        raise ConfigError("name at least two rules to compare")
    rankings = {rule: social_choice(data, rule=rule, two_step=two_step) for rule in chosen}
    scores = np.stack([rankings[rule].scores for rule in chosen])
    if isinstance(data, Counts):
        support = data.wins
    else:
        support = majority.support(grouped(data, "mean_rank") if two_step else data)
    loops = cycles(support)
    disputes = _disputes(data.names, chosen, scores, support, loops)
    winners = {rule: tuple(data.names[i] for i in winners_of(row)) for rule, row in zip(chosen, scores, strict=True)}
    notes = [
        f"{' beats '.join(data.names[i] for i in (*loop.path, loop.path[0]))}, each time by {loop.margin:g} or more; "
        f"{len(loop.members)} systems lie on such cycles"
        for loop in loops
    ]
    counted = {cause: sum(d.cause == cause for d in disputes) for cause in ("cycle", "draw", "distance")}
    pairs = len(data.names) * (len(data.names) - 1) // 2
    notes.append(
        f"the rules differ on {len(disputes)} of {pairs} pairs: {counted['cycle']} because of cycles, "
        f"{counted['draw']} because of draws, {counted['distance']} where distances speak against the majority"
    )
    return Disagreement(data.names, rankings, winners, _agreement(scores), disputes, tuple(loops), tuple(notes))


def _agreement(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    n = len(scores)
    flat = np.ptp(scores, axis=1) == 0
    table = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(n):
            if not (flat[i] or flat[j]):
                table[i, j] = kendalltau(scores[i], scores[j]).statistic
    return table


def _disputes(
    names: tuple[str, ...],
    rules: tuple[str, ...],
    scores: NDArray[np.float64],
    support: NDArray[np.float64],
    loops: list[Cycle],
) -> tuple[Dispute, ...]:
    margin, part = majority.margins(support), majority.components(support)
    found = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            sign = np.sign(scores[:, a] - scores[:, b])
            if not ((sign > 0).any() and (sign < 0).any()):
                continue
            first, second, sign = (a, b, sign) if sign.sum() >= 0 else (b, a, -sign)
            if any(a in loop.members and b in loop.members for loop in loops):
                cause: Cause = "cycle"
            else:
                cause = "draw" if part[a] == part[b] else "distance"
            above = tuple(rule for rule, s in zip(rules, sign, strict=True) if s > 0)
            below = tuple(rule for rule, s in zip(rules, sign, strict=True) if s < 0)
            found.append(Dispute(names[first], names[second], above, below, float(margin[first, second]), cause))
    return tuple(sorted(found, key=lambda d: (-len(d.below), d.first, d.second)))
