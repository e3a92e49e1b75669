"""Votes and rankings of a judge against people's, with planted judges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from whetstone.core.errors import TaskError
from whetstone.core.types import Finding
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.judge_correlation import judge_correlation

TRUTH = np.linspace(-1.5, 1.5, 8)


def people(seed: int, n: int = 3000) -> Comparisons:
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 8, n)
    right = (left + rng.integers(1, 8, n)) % 8
    return votes(Comparisons(tuple("abcdefgh"), left, right, np.ones(n, dtype=int)), TRUTH, seed + 1)


def votes(battles: Comparisons, strengths: np.ndarray, seed: int) -> Comparisons:
    """The same battles with votes drawn anew, a fifth of them ties."""
    rng = np.random.default_rng(seed)
    n = len(battles)
    p = 1 / (1 + np.exp(strengths[battles.right] - strengths[battles.left]))
    return replace(battles, outcome=np.where(rng.random(n) < 0.2, 0, np.where(rng.random(n) < p, 1, -1)))


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {found.name: found for found in findings}


def test_a_good_judge_correlates_and_a_coin_does_not() -> None:
    battles = people(0)
    good = by_name(judge_correlation(battles, votes(battles, TRUTH, 9), rounds=200))
    assert good["rank_spearman"].estimate == pytest.approx(1, abs=0.05)
    assert good["vote_pearson"].interval is not None
    assert good["vote_pearson"].interval[0] > 0.05
    coin = by_name(judge_correlation(battles, votes(battles, np.zeros(8), 9), rounds=200))
    assert coin["vote_pearson"].interval is not None
    assert coin["vote_pearson"].interval[0] < 0 < coin["vote_pearson"].interval[1]
    assert coin["rank_spearman"].interval is not None
    assert coin["rank_spearman"].interval[0] < 0.5
    opposite = by_name(judge_correlation(battles, votes(battles, -TRUTH, 9), rounds=200))
    assert opposite["rank_kendall"].estimate is not None
    assert opposite["rank_kendall"].estimate < -0.9


def test_figures_are_those_of_scipy() -> None:
    battles = people(1, n=400)
    judge = votes(battles, TRUTH, 3)
    found = by_name(judge_correlation(battles, judge, rounds=50))
    first, second = bradley_terry(battles).scores, bradley_terry(judge).scores
    assert found["rank_spearman"].estimate == pytest.approx(spearmanr(first, second).statistic)
    assert found["rank_kendall"].estimate == pytest.approx(kendalltau(first, second).statistic)
    assert found["vote_pearson"].estimate == pytest.approx(pearsonr(battles.outcome, judge.outcome).statistic)
    assert found["vote_agreement"].estimate == pytest.approx((battles.outcome == judge.outcome).mean())


def test_other_battles_of_the_same_systems_give_rankings_only() -> None:
    found = by_name(judge_correlation(people(0), people(5, n=1000), rounds=100))
    assert set(found) == {"rank_spearman", "rank_kendall"}


def test_other_systems_are_named() -> None:
    battles = people(0)
    with pytest.raises(TaskError, match="only one of them has h, x"):
        judge_correlation(battles, replace(battles, names=tuple("abcdefgx")))


@pytest.mark.filterwarnings("error")
def test_rounds_that_tie_all_systems_say_nothing():
    """Few prompts: a judge of ties has rounds whose ranking is no ranking."""
    rng = np.random.default_rng(0)
    left, right = np.array([0, 1, 2] * 4), np.array([1, 2, 0] * 4)
    group = np.repeat(np.arange(4), 3)
    people = Comparisons(("a", "b", "c"), left, right, rng.choice([-1, 1], 12), group=group)
    judge = Comparisons(("a", "b", "c"), left, right, np.where(np.arange(12) < 2, 1, 0), group=group)
    found = {f.name: f for f in judge_correlation(people, judge, rounds=200)}
    low, high = found["rank_spearman"].interval
    assert np.isfinite([low, high]).all()
