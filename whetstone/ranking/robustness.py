"""How far does a ranking move when scores go missing, or when tasks are measured in other units?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from whetstone.core.errors import ConfigError
from whetstone.ranking.score_table import ScoreTable
from whetstone.stats.estimate import Estimate

Floats = NDArray[np.float64]
Change = Callable[[ScoreTable, np.random.Generator], ScoreTable]


def without_scores(share: float) -> Change:
    """Scores are lost at random; every system keeps one at least, and every task two."""
    if not 0 < share < 1:
        raise ConfigError(f"the share of scores to lose must lie between 0 and 1, not {share}")

    def change(table: ScoreTable, rng: np.random.Generator) -> ScoreTable:
        scores = table.scores.copy()
        there = np.argwhere(~np.isnan(scores))
        for row, column in rng.permutation(there)[: round(share * len(there))]:
            kept = ~np.isnan(scores)
            if kept[row].sum() > 1 and kept[:, column].sum() > 2:
                scores[row, column] = np.nan
        return replace(table, scores=scores)

    return change


def in_other_units(spread: float) -> Change:
    """Every task's scores are multiplied by a factor of its own, log-normal with this spread."""

    def change(table: ScoreTable, rng: np.random.Generator) -> ScoreTable:
        return replace(table, scores=table.scores * np.exp(rng.normal(0, spread, len(table.tasks))))

    return change


def robustness(
    table: ScoreTable,
    rules: Mapping[str, Callable[[ScoreTable], Floats]],
    change: Change,
    *,
    rounds: int = 100,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Mean Kendall tau-b between the ranking of the table and that of the changed table, for each rule.

    Args:
        rules: by name, the scores of the systems of a table.
        change: what happens to the table, such as `without_scores(0.1)`.
        rounds: changed tables.
        level: share of the rounds that lie within the interval.

    Source: "Vote'n'Rank: Revision of Benchmarking with Social Choice Theory", case study 3 (there by Spearman's rho).
    """
    rng = np.random.default_rng(seed)
    changed = [change(table, rng) for _ in range(rounds)]
    return {name: _mean_tau(rule(table), [rule(t) for t in changed], level) for name, rule in rules.items()}


def _mean_tau(before: Floats, after: list[Floats], level: float) -> Estimate:
    if np.ptp(before) == 0:
        return Estimate(None, None, 0, None, "simulation", "the rule ties all systems")
    taus = np.array([kendalltau(before, s).statistic for s in after if np.ptp(s) > 0])
    tied = len(after) - taus.size
    note = f"{tied} rounds in which the rule ties all systems are left out" if tied else ""
    if taus.size < 2:
        return Estimate(None, None, int(taus.size), None, "simulation", note)
    low, high = np.quantile(taus, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(taus.mean()), (float(low), float(high)), taus.size, None, "simulation", note)
