"""Social choice: rank systems by a rule over tasks, or over who beat whom, instead of by a mean score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.core.types import Json
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.rules import majority
from whetstone.ranking.rules.by_name import BY_MAJORITY, BY_SCORES, by_majority, grouped, score, winners
from whetstone.ranking.score_table import ScoreTable
from whetstone.ranking.tiers import ranks, tiers
from whetstone.stats.multiple import holm

Floats = NDArray[np.float64]

AVERAGES = ("mean", "geometric_mean", "optimality_gap", "borda", "mean_rank", "dowdall")
"""Rules that add up what each task says, with errors about normal; the others jump, or count rare events."""


SUMS = ("borda", "mean_rank", "dowdall")
"""Those of them whose scores grow with the number of tasks."""

PARTS = 100
"""Most parts that the tasks are left out in."""

FEW = 16
"""Below this many tasks, t-tests of places err up to twice as often as they should: 9 % instead of 5 % with 8 tasks."""


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
    intervals: bool = False,
    level: float = 0.95,
) -> Ranking:
    """Rank systems over tasks by a rule of social choice instead of by mean score.

    Args:
        data: scores of systems on tasks, weights and gaps included; or counts of comparisons, which the rules that
            read who beats whom take too.
        rule: one of `rules.by_name.RULES`.
        two_step: apply the rule inside each group of tasks first, then to the groups' results, every group as one task.
        group_weights: weight of each group in the second step; None: all count once.
        intervals: add intervals, ranks and tiers over tasks (with two steps: over groups), for the rules in `AVERAGES`:
            what would other tasks of this kind have said? By the jackknife, t-tests of pairs and Holm's correction.
        level: confidence of each interval, and of all ranks and tiers at once.

    Raises:
        ConfigError: an unknown rule, one that cannot read counts, two steps without groups.
        TaskError: data that the rule cannot read (a negative score for the geometric mean).

    Source: "Vote'n'Rank: Revision of Benchmarking with Social Choice Theory".
    """
    if intervals and rule not in AVERAGES:
        raise ConfigError(f"{rule!r} has no honest intervals over tasks; these have: {', '.join(AVERAGES)}")
    if isinstance(data, Counts):
        if rule in BY_SCORES or two_step:
            raise ConfigError(
                f"{rule!r} with two_step={two_step} needs a table of scores; counts of comparisons have no tasks: use "
                f"{', '.join(BY_MAJORITY)} in one step"
            )
        scores, support, n, notes = by_majority(rule)(data.wins), data.wins, data.n, []
    else:
        table = grouped(data, rule, weights=group_weights) if two_step else data
        scores, support = score(table, rule), majority.support(table)
        n = data.scores.size - data.missing
        notes = [f"{data.missing} of {data.scores.size} scores are missing"] if data.missing else []
    names = data.names
    winner, loser = majority.condorcet_winner(support), majority.condorcet_loser(support)
    top = [names[i] for i in majority.condorcet_set(support)]
    if winner is None:
        notes.append(f"no system beats all others; the smallest set that beats the rest is {', '.join(top)}")
    settings: dict[str, Json] = {
        "rule": rule,
        "two_step": two_step,
        "winners": [names[i] for i in winners(scores)],
        "condorcet_winner": None if winner is None else names[winner],
        "condorcet_loser": None if loser is None else names[loser],
        "condorcet_set": list(top),
    }
    if intervals and len(table.tasks) < FEW:
        notes.append(f"{len(table.tasks)} tasks are few: tiers may be wrong more often than their level says")
    if not intervals:
        return Ranking("social_choice", names, scores, n=n, settings=settings, notes=tuple(notes))
    covariance, freedom = _jackknife(table, rule)
    reach = scipy.stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(np.diag(covariance))
    better = _better(scores, covariance, freedom, level)
    limits = (scores - reach, scores + reach, *ranks(better), tiers(better))
    settings |= {"level": level, "tasks": len(table.tasks)}
    return Ranking("social_choice", names, scores, covariance, *limits, n, settings, tuple(notes))


def _jackknife(table: ScoreTable, rule: str) -> tuple[Floats, int]:
    """[k, k] covariance of the scores over tasks, and its degrees of freedom: fewer where scores are missing."""
    t = len(table.tasks)
    parts = min(t, PARTS)
    if parts < 3:
        raise TaskError(f"{t} tasks are too few for intervals over tasks")
    whole = table.weight.sum() if rule in SUMS else 1.0
    left = []
    for part in range(parts):
        rest = table.select(np.flatnonzero(np.arange(t) % parts != part))
        left.append(score(rest, rule) * whole / (rest.weight.sum() if rule in SUMS else 1.0))
    errors = np.stack(left) - np.mean(left, axis=0)
    covariance: Floats = errors.T @ errors * (parts - 1) / parts
    lacking = int(np.isnan(table.scores).sum(axis=1).max()) * parts // t
    return covariance, max(1, parts - 1 - lacking)


def _better(scores: Floats, covariance: Floats, freedom: int, level: float) -> NDArray[np.bool_]:
    """[k, k] is the row's system better than the column's? By paired t-tests, with Holm's correction over all pairs."""
    first, second = np.triu_indices(len(scores), 1)
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[first] + variance[second] - 2 * covariance[first, second], 0.0))
    gap = scores[first] - scores[second]
    # Without any spread, two systems differ by the same on every task.
    size = np.divide(np.abs(gap), spread, out=np.where(gap == 0, 0.0, np.inf), where=spread > 1e-12 * np.abs(gap))
    told = np.array(holm((2 * scipy.stats.t.sf(size, freedom)).tolist()), dtype=np.float64) <= 1 - level
    better = np.zeros(covariance.shape, dtype=bool)
    better[first, second], better[second, first] = told & (gap > 0), told & (gap < 0)
    return better
