"""Which systems are the best: consensus of rankings instead of a mean of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.robustness import in_other_units, robustness, without_scores
from whetstone.ranking.rule_disagreement import Disagreement, rule_disagreement
from whetstone.ranking.rules.by_name import grouped, score
from whetstone.ranking.rules.kemeny import Kemeny, disagreement, kemeny
from whetstone.ranking.rules.majority import support
from whetstone.ranking.score_table import ScoreTable
from whetstone.stats.estimate import Estimate

RULES = ("mean_rank", "kemeny", "mean")


@dataclass(frozen=True, eq=False)
class BestSystems:
    """The consensus, and how it stands to the mean.

    Attributes:
        rankings: by "mean_rank" (Borda, which approximates Kemeny), "kemeny" and "mean".
        kemeny: the consensus order with its cost.
        excess: disagreement of the Borda order beyond the least possible, as a share of the least (0: Borda found it);
            None where the least is 0.
        disagreement: pairs on which the three differ, and why.
        missing, units: by rule, mean Kendall tau with the ranking of the table at hand when scores are lost, and when
            the tasks are measured in other units.
    """

    rankings: Mapping[str, Ranking]
    kemeny: Kemeny
    excess: float | None
    disagreement: Disagreement
    missing: Mapping[str, Estimate]
    units: Mapping[str, Estimate]


@method(
    "ranking",
    papers=("What are the best systems? New perspectives on NLP Benchmarking",),
    checked="tests/ranking/test_best_systems.py::test_kemeny_is_that_of_brute_force_and_borda_comes_near",
)
def best_systems(
    table: ScoreTable,
    *,
    two_level: bool = False,
    lost: float = 0.1,
    spread: float = 1.0,
    rounds: int = 50,
    seed: int = 0,
) -> BestSystems:
    """Rank by Kemeny consensus and its Borda approximation, beside the mean, with disagreement and robustness.

    Args:
        table: scores of systems on tasks, or on instances that belong to groups (then see `two_level`).
        two_level: one ranking from the instances of each group first, then the consensus of those rankings. The
            authors advise it where scores of instances exist.
        lost: share of scores that the test of robustness takes away.
        spread: standard deviation of the logarithm of the units' factors in the test of robustness.
        rounds: simulated tables in each test of robustness; 0 for none.

    Raises ConfigError for two levels without groups.

    Source: "What are the best systems? New perspectives on NLP Benchmarking".
    """
    if two_level and table.groups is None:
        raise ConfigError("two levels need the group of each instance")
    between = rule_disagreement(table, rules=RULES, two_step=two_level)
    wins = support(grouped(table, "kemeny") if two_level else table)
    consensus = kemeny(wins)
    cost = disagreement(wins, between.rankings["mean_rank"].order)
    excess = cost / consensus.cost - 1 if consensus.cost > 0 else None
    changes = {"missing": without_scores(lost), "units": in_other_units(spread)} if rounds else {}
    rules = {rule: partial(_scores, rule=rule, two_level=two_level) for rule in RULES}
    shaken = {name: robustness(table, rules, change, rounds=rounds, seed=seed) for name, change in changes.items()}
    return BestSystems(between.rankings, consensus, excess, between, shaken.get("missing", {}), shaken.get("units", {}))


def _scores(table: ScoreTable, *, rule: str, two_level: bool) -> NDArray[np.float64]:
    return score(grouped(table, rule) if two_level else table, rule)
