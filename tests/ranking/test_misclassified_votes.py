"""Human and judge votes in one model: planted confusions are found, strengths covered, favourites named."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from whetstone.core.errors import ConfigError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.misclassified_votes import misclassified_votes
from whetstone.ranking.prediction_powered import prediction_powered

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])
CONFUSION = np.array([[0.85, 0.10, 0.05], [0.35, 0.50, 0.15], [0.20, 0.15, 0.65]])
"""A judge that prefers what it saw first. Rows: the human's vote; columns: the judge's (first won, tie, second won)."""


def covered(ranking):
    return (ranking.low <= TRUTH) & (ranking.high >= TRUTH)


def voted(n, labelled, *, seed=0, confusion=CONFUSION, favourite=None, nu=0.5, strengths=TRUTH):
    rng = np.random.default_rng(seed)
    k = len(strengths)
    left = rng.integers(k, size=n)
    right = (left + rng.integers(1, k, size=n)) % k
    first = rng.random(n) < 0.5
    half = np.exp((strengths[left] - strengths[right]) / 2)
    u = rng.random(n) * (half + 1 / half + nu)
    human = np.where(u < half, 1, np.where(u < half + nu, 0, -1))
    said = 1 - np.where(first, human, -human)
    vote = (rng.random(n)[:, None] > confusion[said].cumsum(axis=1)).sum(axis=1)
    judge = np.where(first, 1 - vote, vote - 1)
    if favourite is not None:
        judge = np.where(
            rng.random(n) < 0.5, np.where(left == favourite, 1, np.where(right == favourite, -1, judge)), judge
        )
    some = rng.permutation(n)[:labelled]
    return Comparisons(
        NAMES[:k],
        np.append(left, left[some]),
        np.append(right, right[some]),
        np.append(judge, human[some]),
        group=np.append(np.arange(n), some),
        judge=np.repeat([0, 1], [n, labelled]),
        judges=("gpt", "human"),
        left_first=np.append(first, first[some]),
    )


def test_covers_what_humans_think_and_finds_confusions():
    inside, widths = [], []
    for seed in range(25):
        votes = voted(1000, 150, seed=seed)
        found = misclassified_votes(votes)
        inside.append(covered(found))
        widths.append(
            (found.high - found.low).mean() / np.subtract(*_limits(prediction_powered(votes, ties="davidson")))
        )
    assert np.mean(inside) >= 0.9
    assert np.mean(widths) < 0.95
    large = misclassified_votes(voted(20_000, 4000))
    assert np.array(large.settings["confusions"]["gpt"]) == pytest.approx(CONFUSION, abs=0.03)
    assert large.scores == pytest.approx(TRUTH, abs=0.1)


def _limits(ranking):
    return ranking.high.mean(), ranking.low.mean()


def test_a_favourite_is_named_and_none_where_there_is_none():
    found = misclassified_votes(voted(2000, 300, favourite=4))
    assert any("gpt favours e" in note for note in found.notes)
    false = sum(bool(misclassified_votes(voted(800, 150, seed=seed)).notes) for seed in range(25))
    assert false <= 3


def test_a_judge_that_guesses_adds_nothing():
    votes = voted(1500, 300, confusion=np.full((3, 3), 1 / 3))
    found, alone = misclassified_votes(votes), bradley_terry(votes.take(votes.judge == 1), ties="davidson")
    ratio = (found.high - found.low).mean() / (alone.high - alone.low).mean()
    assert 0.9 < ratio < 1.1


def test_reaches_the_maximum_of_the_likelihood_written_down_plainly():
    votes = voted(200, 80, seed=5, strengths=np.array([0.5, 0.0, -0.5]))
    human = {int(g): int(o) for g, o, j in zip(votes.group, votes.outcome, votes.judge, strict=True) if j == 1}

    def loss(theta):
        strengths, nu = np.append(theta[:2], -theta[:2].sum()), np.exp(theta[2])
        logits = np.zeros((3, 3))
        logits[~np.eye(3, dtype=bool)] = theta[3:]
        confusion = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        total = 0.5 * np.log(confusion).sum()
        for i in range(len(votes)):
            half = np.exp((strengths[votes.left[i]] - strengths[votes.right[i]]) / 2)
            chance = dict(zip((1, 0, -1), np.array([half, nu, 1 / half]) / (half + nu + 1 / half), strict=True))
            side = 1 if votes.left_first[i] else -1
            read = {o: confusion[1 - side * o, 1 - side * votes.outcome[i]] for o in (1, 0, -1)}
            if votes.judge[i] == 1:
                total += np.log(chance[votes.outcome[i]])
            elif int(votes.group[i]) in human:
                total += np.log(read[human[int(votes.group[i])]])
            else:
                total += np.log(sum(chance[o] * read[o] for o in (1, 0, -1)))
        return -total

    found = misclassified_votes(votes)
    table = np.log(np.array(found.settings["confusions"]["gpt"]))
    free = (table - table.diagonal()[:, None])[~np.eye(3, dtype=bool)]
    start = np.concatenate([found.scores[:2], [-0.7], free])
    naive = optimize.minimize(loss, start, method="BFGS", options={"maxiter": 30, "gtol": 1e-3})
    assert naive.x[:2] == pytest.approx(found.scores[:2], abs=2e-3)
    assert naive.x[3:] == pytest.approx(free, abs=2e-2)


def test_without_judge_votes_on_unseen_items_strengths_are_the_humans():
    votes = voted(400, 400)
    found, alone = misclassified_votes(votes), bradley_terry(votes.take(votes.judge == 1), ties="davidson")
    assert found.scores == pytest.approx(alone.scores, abs=1e-6)


def test_several_humans_on_an_item_weigh_as_one_for_the_judge():
    votes = voted(300, 150, nu=0.0)
    twice = votes.take(np.append(np.arange(len(votes)), np.flatnonzero(votes.judge == 1)))
    ours, theirs = (np.array(misclassified_votes(v).settings["confusions"]["gpt"]) for v in (votes, twice))
    assert ours == pytest.approx(theirs, abs=0.03)


def test_two_kinds_of_votes_have_two_by_two_confusions():
    two = np.array([[0.8, 0.0, 0.2], [0.5, 0.0, 0.5], [0.3, 0.0, 0.7]])
    found = misclassified_votes(voted(4000, 1500, nu=0.0, confusion=two))
    assert found.settings["judge votes"] == [1, -1]
    assert np.array(found.settings["confusions"]["gpt"]) == pytest.approx(two[np.ix_([0, 2], [0, 2])], abs=0.05)


def test_a_judge_may_tie_where_humans_never_do():
    found = misclassified_votes(voted(6000, 2000, nu=0.0))
    assert found.settings["human votes"] == [1, -1]
    assert np.array(found.settings["confusions"]["gpt"]) == pytest.approx(CONFUSION[[0, 2]], abs=0.05)
    assert found.scores == pytest.approx(TRUTH, abs=0.15)


def test_smoothing_must_be_positive():
    with pytest.raises(ConfigError, match="smoothing"):
        misclassified_votes(voted(50, 20), smoothing=0.0)
