"""Few human votes sharpened by many judge votes: right however wrong the judge is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.prediction_powered import prediction_powered

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def covered(ranking):
    return (ranking.low <= TRUTH) & (ranking.high >= TRUTH)


def voted(n, labelled, *, seed=0, agreement=0.85, favourite=None, nu=0.4):
    """n items, all judged by a model, some by humans. The judge copies the human, guesses, or has a favourite."""
    rng = np.random.default_rng(seed)
    left = rng.integers(5, size=n)
    right = (left + rng.integers(1, 5, size=n)) % 5
    half = np.exp((TRUTH[left] - TRUTH[right]) / 2)
    u = rng.random(n) * (half + 1 / half + nu)
    human = np.where(u < half, 1, np.where(u < half + nu, 0, -1))
    judge = np.where(rng.random(n) < agreement, human, rng.integers(-1, 2, size=n))
    if favourite is not None:
        swayed = rng.random(n) < 0.6
        judge = np.where(swayed & (left == favourite), 1, np.where(swayed & (right == favourite), -1, judge))
    some = rng.permutation(n)[:labelled]
    return Comparisons(
        NAMES,
        np.append(left, left[some]),
        np.append(right, right[some]),
        np.append(judge, human[some]),
        group=np.append(np.arange(n), some),
        judge=np.repeat([0, 1], [n, labelled]),
        judges=("gpt", "human"),
    )


@pytest.mark.parametrize("favourite", [None, 4])
def test_covers_what_humans_think_though_the_judge_errs(favourite):
    inside, widths, trusting = [], [], []
    for seed in range(40):
        votes = voted(2000, 300, seed=seed, favourite=favourite)
        found = prediction_powered(votes, ties="davidson")
        inside.append(covered(found))
        widths.append(found.settings["width"])
        naive = bradley_terry(votes.take(votes.judge == 0), ties="davidson")
        trusting.append(covered(naive))
    assert np.mean(inside) >= 0.91
    assert np.mean(widths) < (0.75 if favourite is None else 0.95)
    assert np.mean(trusting) < 0.7


def test_a_judge_that_guesses_is_left_out():
    found = prediction_powered(voted(3000, 300, agreement=0.0))
    assert found.settings["power"] < 0.15
    assert found.settings["width"] == pytest.approx(1.0, abs=0.02)


def test_equal_systems_are_not_told_apart_for_a_judges_favourite():
    rng = np.random.default_rng(0)
    split = 0
    for _ in range(40):
        n = 800
        left = rng.integers(3, size=n)
        right = (left + rng.integers(1, 3, size=n)) % 3
        human = rng.choice([1, -1], size=n)
        judge = np.where(left == 0, 1, np.where(right == 0, -1, human))
        votes = Comparisons(
            NAMES[:3],
            np.append(left, left[:200]),
            np.append(right, right[:200]),
            np.append(judge, human[:200]),
            group=np.append(np.arange(n), np.arange(200)),
            judge=np.repeat([0, 1], [n, 200]),
            judges=("gpt", "human"),
        )
        split += prediction_powered(votes).tier.max() > 1
    assert split <= 6


def test_strengths_are_those_of_ppi_python():
    reference = json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))
    case = reference["powered_strengths"]
    some, more = ({k: np.asarray(v) for k, v in case[part].items()} for part in ("labelled", "more"))
    n, m = len(some["left"]), len(more["left"])
    votes = Comparisons(
        NAMES,
        np.concatenate([some["left"], some["left"], more["left"]]),
        np.concatenate([some["right"], some["right"], more["right"]]),
        2 * np.concatenate([some["human"], some["judge"], more["judge"]]) - 1,
        group=np.concatenate([np.arange(n), np.arange(n), n + np.arange(m)]),
        judge=np.repeat([1, 0, 0], [n, n, m]),
        judges=("gpt", "human"),
    )
    found = prediction_powered(votes, power=case["power"])
    assert found.scores == pytest.approx(np.array(case["strengths"]), abs=1e-5)


def test_power_zero_is_the_human_votes_alone():
    votes = voted(500, 300)
    found = prediction_powered(votes, power=0.0)
    alone = bradley_terry(votes.take(votes.judge == 1))
    assert found.scores == pytest.approx(alone.scores, abs=1e-8)
    assert found.low == pytest.approx(alone.low, abs=0.02)


def test_which_side_a_vote_calls_left_does_not_matter():
    votes = voted(400, 150)
    flip = np.random.default_rng(1).random(len(votes)) < 0.5
    flipped = Comparisons(
        NAMES,
        np.where(flip, votes.right, votes.left),
        np.where(flip, votes.left, votes.right),
        np.where(flip, -votes.outcome, votes.outcome),
        group=votes.group,
        judge=votes.judge,
        judges=votes.judges,
    )
    ours, theirs = prediction_powered(votes), prediction_powered(flipped)
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-8)
    assert ours.covariance == pytest.approx(theirs.covariance, abs=1e-8)


def test_votes_that_cannot_be_matched():
    votes = voted(60, 30)
    bare = Comparisons(NAMES, votes.left, votes.right, votes.outcome, judge=votes.judge, judges=votes.judges)
    with pytest.raises(TaskError, match="group is missing"):
        prediction_powered(bare)
    with pytest.raises(TaskError, match="no judge is called 'annotator'"):
        prediction_powered(votes, human="annotator")
    with pytest.raises(TaskError, match="all judges are called"):
        prediction_powered(votes.take(votes.judge == 1))
    apart = Comparisons(
        NAMES, votes.left, votes.right, votes.outcome, group=np.arange(90), judge=votes.judge, judges=votes.judges
    )
    with pytest.raises(TaskError, match="no comparison has both"):
        prediction_powered(apart)
    with pytest.raises(ConfigError, match="power"):
        prediction_powered(votes, power=2.0)
