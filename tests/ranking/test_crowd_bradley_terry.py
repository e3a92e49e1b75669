"""Judges of unknown reliability: planted ones are found, and their votes weigh what they are worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.crowd_bradley_terry import crowd_bradley_terry

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.5, 0.75, 0.0, -0.75, -1.5])


def covered(ranking):
    return (ranking.low <= TRUTH) & (ranking.high >= TRUTH)


def drawn(n, reliabilities, *, seed=0, strengths=TRUTH):
    rng = np.random.default_rng(seed)
    left = rng.integers(5, size=n)
    right = (left + rng.integers(1, 5, size=n)) % 5
    judge = rng.integers(len(reliabilities), size=n)
    trust = np.asarray(reliabilities)[judge]
    chance = expit(strengths[left] - strengths[right])
    outcome = np.where(rng.random(n) < trust * chance + (1 - trust) * (1 - chance), 1, -1)
    judges = tuple(f"judge {i}" for i in range(len(reliabilities)))
    return Comparisons(NAMES, left, right, outcome, judge=judge, judges=judges)


def test_finds_reliable_random_and_contrary_judges():
    planted = [0.95, 0.9, 0.8, 0.5, 0.1]
    found = crowd_bradley_terry(drawn(12_000, planted))
    judges = found.settings["judges"].values()
    assert [judge["reliability"] for judge in judges] == pytest.approx(planted, abs=0.07)
    assert all(judge["low"] <= truth <= judge["high"] for judge, truth in zip(judges, planted, strict=True))
    assert found.scores == pytest.approx(TRUTH, abs=0.2)
    assert [judge["votes"] for judge in judges] == np.bincount(drawn(12_000, planted).judge).tolist()


def test_ranks_right_where_most_votes_are_noise_or_contrary():
    wrong = {bradley_terry: 0, crowd_bradley_terry: 0}
    for seed in range(20):
        comparisons = drawn(2500, [0.95, 0.95, 0.5, 0.5, 0.1], seed=seed)
        for method in wrong:
            wrong[method] += (method(comparisons).order != np.arange(5)).any()
    assert wrong[crowd_bradley_terry] <= 2
    assert wrong[crowd_bradley_terry] < wrong[bradley_terry]


def test_equally_reliable_judges_look_so():
    judges = crowd_bradley_terry(drawn(6000, [0.85] * 4)).settings["judges"].values()
    assert max(judge["low"] for judge in judges) < min(judge["high"] for judge in judges)


def test_limits_cover_the_strengths():
    inside = []
    for seed in range(60):
        found = crowd_bradley_terry(drawn(2500, [0.95, 0.9, 0.9, 0.5, 0.1], seed=seed))
        inside.append(covered(found))
    assert np.mean(inside) >= 0.92


def test_reaches_the_maximum_of_the_posterior_written_down_plainly():
    comparisons = drawn(300, [0.9, 0.6])

    def loss(theta):
        strengths, trust = np.append(theta[:4], -theta[:4].sum()), expit(theta[4:])
        chance = expit(strengths[comparisons.left] - strengths[comparisons.right])
        first = trust[comparisons.judge] * chance + (1 - trust[comparisons.judge]) * (1 - chance)
        votes = np.log(np.where(comparisons.outcome == 1, first, 1 - first)).sum()
        anchor = (np.log(expit(strengths)) - strengths / 2).sum()
        return -votes - anchor - (0.5 * np.log(trust) + 0.1 * np.log(1 - trust)).sum()

    naive = optimize.minimize(loss, np.append(np.linspace(1, -0.5, 4), [1.0, 1.0]), method="BFGS", tol=1e-10)
    found = crowd_bradley_terry(comparisons)
    trust = [judge["reliability"] for judge in found.settings["judges"].values()]
    assert np.append(found.scores[:4], trust) == pytest.approx(np.append(naive.x[:4], expit(naive.x[4:])), abs=1e-3)


def test_names_sides_and_order_of_rows_do_not_matter():
    comparisons = drawn(400, [0.9, 0.7, 0.3])
    rng = np.random.default_rng(0)
    code, judges, rows = rng.permutation(5), rng.permutation(3), rng.permutation(400)
    other = Comparisons(
        tuple(NAMES[i] for i in np.argsort(code)),
        code[comparisons.right],
        code[comparisons.left],
        -comparisons.outcome,
        judge=judges[comparisons.judge],
        judges=tuple(comparisons.judges[i] for i in np.argsort(judges)),
    ).take(rows)
    ours, theirs = crowd_bradley_terry(comparisons), crowd_bradley_terry(other)
    assert theirs.scores[code] == pytest.approx(ours.scores, abs=1e-6)
    assert theirs.covariance[np.ix_(code, code)] == pytest.approx(ours.covariance, abs=1e-6)


def test_votes_that_cancel_out_leave_all_systems_equal():
    left, right = np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 1, 2, 0])
    votes = Comparisons(
        NAMES[:3], left, right, np.repeat([1, -1], 3), judge=np.array([0, 1, 2, 0, 0, 0]), judges=("x", "y", "z")
    )
    found = crowd_bradley_terry(votes)
    assert found.scores == pytest.approx(np.zeros(3), abs=1e-9)
    assert set(found.tier.tolist()) == {1}


def test_a_tie_is_half_a_vote_each_way():
    comparisons = drawn(200, [0.9, 0.7])
    tie = Comparisons(
        NAMES,
        *(np.append(a, v) for a, v in ((comparisons.left, 0), (comparisons.right, 1), (comparisons.outcome, 0))),
        judge=np.append(comparisons.judge, 1),
        judges=comparisons.judges,
    )
    halves = Comparisons(
        NAMES,
        *(
            np.append(a, v)
            for a, v in ((comparisons.left, [0, 0]), (comparisons.right, [1, 1]), (comparisons.outcome, [1, -1]))
        ),
        weight=np.append(np.ones(200), [0.5, 0.5]),
        judge=np.append(comparisons.judge, [1, 1]),
        judges=comparisons.judges,
    )
    assert crowd_bradley_terry(tie).scores == pytest.approx(crowd_bradley_terry(halves).scores, abs=1e-8)


def test_who_judged_must_be_known_and_most_judges_taken_to_be_right():
    comparisons = drawn(50, [0.9])
    with pytest.raises(TaskError, match="judge is missing"):
        crowd_bradley_terry(Comparisons(NAMES, comparisons.left, comparisons.right, comparisons.outcome))
    with pytest.raises(ConfigError, match="prior must"):
        crowd_bradley_terry(comparisons, prior=0.0)
    with pytest.raises(ConfigError, match="right must be above wrong"):
        crowd_bradley_terry(comparisons, right=1.0, wrong=1.0)
