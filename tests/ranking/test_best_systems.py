"""Consensus instead of means: Kemeny by brute force, two levels, and robustness against gaps and units."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.best_systems import best_systems
from whetstone.ranking.robustness import in_other_units, robustness, without_scores
from whetstone.ranking.rules.by_name import score
from whetstone.ranking.rules.kemeny import disagreement
from whetstone.ranking.rules.majority import support
from whetstone.ranking.score_table import ScoreTable


def noisy(k: int, t: int, seed: int, noise: float = 1.0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    scores = np.linspace(2, 0, k)[:, None] + rng.normal(0, noise, (k, t))
    return ScoreTable(tuple(f"s{i}" for i in range(k)), tuple(f"t{i}" for i in range(t)), scores)


def test_kemeny_is_that_of_brute_force_and_borda_comes_near() -> None:
    excesses = []
    for seed in range(10):
        table = noisy(6, 5, seed, noise=2.0)
        wins = support(table)
        least = min(disagreement(wins, np.array(order)) for order in permutations(range(6)))
        found = best_systems(table, rounds=0)
        assert found.kemeny.cost == least
        assert found.kemeny.proven
        assert found.excess is not None
        assert found.excess >= 0
        excesses.append(found.excess)
    assert np.mean(excesses) < 0.1
    assert 0.0 in excesses


def test_one_task_with_a_huge_scale_decides_the_mean_and_not_the_consensus() -> None:
    scores = np.array([[0.9, 0.9, 0.9, 10.0], [0.8, 0.8, 0.8, 500.0], [0.7, 0.7, 0.7, 20.0]])
    found = best_systems(ScoreTable(tuple("abc"), tuple("wxyz"), scores), rounds=0)
    assert found.rankings["mean"].settings["winners"] == ["b"]
    assert found.rankings["kemeny"].settings["winners"] == ["a"]
    assert found.rankings["mean_rank"].settings["winners"] == ["a"]
    assert ("a", "b") in {(d.first, d.second) for d in found.disagreement.disputes}


def test_consensus_stands_changes_of_unit_and_gaps_that_move_the_mean() -> None:
    table = noisy(8, 12, seed=1)
    shifted = ScoreTable(table.names, table.tasks, table.scores + 10 * np.arange(12))
    found = best_systems(shifted, rounds=40)
    for rule in ("mean_rank", "kemeny"):
        assert found.units[rule].value == pytest.approx(1)
        assert found.missing[rule].n == 40
    mean, borda = found.units["mean"].value, found.missing["mean_rank"].value
    assert mean is not None
    assert mean < 0.95
    assert borda is not None
    assert found.missing["mean"].value is not None
    assert borda > 0.85


def test_two_levels_count_tasks_and_not_instances() -> None:
    # Nine instances of one task against one of each of two others.
    scores = np.vstack([[1.0] * 9 + [0.0, 0.0], [0.0] * 9 + [1.0, 1.0]])
    groups = ("long",) * 9 + ("short", "brief")
    table = ScoreTable(("a", "b"), tuple(f"i{i}" for i in range(11)), scores, groups=groups)
    for rule in ("mean_rank", "kemeny", "mean"):
        assert best_systems(table, rounds=0).rankings[rule].settings["winners"] == ["a"]
        assert best_systems(table, two_level=True, rounds=3).rankings[rule].settings["winners"] == ["b"]
    with pytest.raises(ConfigError, match="group of each instance"):
        best_systems(noisy(3, 3, 0), two_level=True)


def test_gaps_are_as_many_as_asked_for_and_the_seed_decides_which() -> None:
    table = noisy(6, 10, 0)
    lost = without_scores(0.25)(table, np.random.default_rng(0))
    assert lost.missing == 15
    np.testing.assert_array_equal(lost.scores, without_scores(0.25)(table, np.random.default_rng(0)).scores)
    bare = without_scores(0.99)(table, np.random.default_rng(0))
    assert (~np.isnan(bare.scores)).sum(axis=1).min() >= 1
    assert (~np.isnan(bare.scores)).sum(axis=0).min() == 2
    factors = in_other_units(1.0)(table, np.random.default_rng(0)).scores / table.scores
    np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape))
    with pytest.raises(ConfigError, match="share"):
        without_scores(1.0)


def test_a_rule_that_ties_all_has_no_robustness() -> None:
    table = noisy(4, 6, 0)
    rules = {"flat": lambda t: np.zeros(len(t.names)), "mean": lambda t: score(t, "mean")}
    found = robustness(table, rules, without_scores(0.2), rounds=10)
    assert found["flat"].value is None
    assert found["mean"].n == 10
    assert robustness(table, rules, without_scores(0.2), rounds=10) == found
