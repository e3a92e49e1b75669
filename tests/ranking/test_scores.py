"""Counting, average win rate, eigenvector, PageRank, Newman: planted truths and the numbers of evalica."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.average_win_rate import average_win_rate
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.counting import counting
from whetstone.ranking.eigen import eigen
from whetstone.ranking.elo import elo
from whetstone.ranking.newman import newman
from whetstone.ranking.pagerank import pagerank

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def drawn(n, *, seed=0, strengths=TRUTH, nu=0.0, popularity=None):
    """Comparisons that follow Davidson's model."""
    rng = np.random.default_rng(seed)
    k = len(strengths)
    first = rng.choice(k, size=n, p=popularity)
    second = rng.choice(k, size=n, p=popularity)
    left, right = first[first != second], second[first != second]
    odds = np.exp((strengths[left] - strengths[right]) / 2)
    u = rng.random(left.size) * (odds + 1 / odds + nu)
    outcome = np.where(u < odds, 1, np.where(u < odds + nu, 0, -1))
    return Comparisons(NAMES[:k], left, right, outcome)


def of(*rows):
    left, right, outcome = zip(*rows, strict=True)
    return Comparisons.from_labels(left, right, outcome)


@pytest.fixture(scope="module")
def reference():
    return json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))["scores"]


@pytest.mark.parametrize("method", [counting, average_win_rate, elo, eigen, pagerank, newman])
def test_scores_are_those_of_evalica(reference, method):
    comparisons = Comparisons(NAMES, *(np.asarray(reference[c]) for c in ("left", "right", "outcome")))
    options = {elo: {"k_factor": 16.0}, eigen: {"of": "losses"}}.get(method, {})
    found = method(comparisons, **options)
    assert found.scores == pytest.approx(reference["scores"][method.__name__], abs=1e-10)
    if method is newman:
        assert found.settings["v"] == pytest.approx(reference["v"], abs=1e-10)


def test_counting_rewards_playing_often():
    comparisons = drawn(4000, popularity=[0.05, 0.05, 0.1, 0.4, 0.4])
    assert NAMES[counting(comparisons).order[0]] in ("d", "e")
    assert counting(of(("x", "y", 1), ("x", "y", 0)), win=3.0, tie=1.0).scores.tolist() == [4.0, 1.0]


def test_average_win_rate_does_not_reward_playing_often():
    found = average_win_rate(drawn(4000, popularity=[0.05, 0.05, 0.1, 0.4, 0.4]))
    assert [NAMES[i] for i in found.order] == list(NAMES)


def test_average_win_rate_covers_the_true_rate_and_tiers_equal_systems_together():
    chance = 1 / (1 + np.exp(TRUTH[None, :] - TRUTH[:, None]))
    truth = (chance.sum(axis=1) - 0.5) / 4
    inside, apart = [], 0
    for seed in range(200):
        found = average_win_rate(drawn(150, seed=seed))
        inside.append((found.low <= truth) & (truth <= found.high))
        apart += average_win_rate(drawn(150, seed=seed, strengths=np.zeros(5))).tier.max() > 1
    assert np.mean(inside) >= 0.93
    assert apart <= 0.08 * 200


def test_average_win_rate_of_one_kind_of_outcome_is_not_certain():
    found = average_win_rate(of(*[("x", "y", 1)] * 5))
    assert found.scores.tolist() == [1.0, 0.0]
    assert found.low[0] < 0.9
    assert found.high[0] == 1.0


def test_eigen_and_pagerank_find_the_planted_order():
    comparisons = drawn(20_000)
    for method in (eigen, pagerank):
        assert [NAMES[i] for i in method(comparisons).order] == list(NAMES)
    assert pagerank(comparisons).scores.sum() == pytest.approx(1.0)


def test_pagerank_exists_for_the_undefeated_and_eigen_says_where_it_does_not():
    comparisons = of(("x", "y", 1), ("y", "z", 1))
    assert [comparisons.names[i] for i in pagerank(comparisons).order] == ["x", "y", "z"]
    with pytest.raises(TaskError, match="not unique"):
        eigen(comparisons)
    with pytest.raises(ConfigError, match="damping"):
        pagerank(comparisons, damping=1.0)


def test_newman_finds_the_strengths_and_the_share_of_ties():
    found = newman(drawn(60_000, nu=0.5))
    logs = np.log(found.scores)
    assert logs - logs.mean() == pytest.approx(TRUTH, abs=0.06)
    assert found.settings["v"] == pytest.approx(0.25, abs=0.02)
    assert newman(drawn(500)).settings["v"] == 0.0


def test_newman_does_not_swing_between_two_camps():
    camps = of(("a", "x", 1), ("x", "b", 1), ("b", "y", 1), ("y", "a", 1), ("a", "y", 1), ("x", "a", 1))
    logs = np.log(newman(camps).scores)
    assert logs - logs.mean() == pytest.approx(bradley_terry(camps).scores, abs=1e-8)


def test_newman_names_who_has_no_finite_strength():
    with pytest.raises(TaskError, match=r"never lost.*x"):
        newman(of(("x", "y", 1), ("x", "z", 1), ("y", "z", 1), ("z", "y", 1)))


def test_counts_stand_for_comparisons():
    comparisons = drawn(300, nu=0.4)
    for method in (counting, average_win_rate, eigen, pagerank, newman):
        assert (method(count(comparisons)).scores == method(comparisons).scores).all()
