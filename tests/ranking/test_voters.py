"""Simulated voters do what their settings say, and estimators find what they vote for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from whetstone.core.errors import ConfigError
from whetstone.ranking.bayesian_skill import bayesian_skill
from whetstone.ranking.comparisons import count
from whetstone.ranking.convergence import crossing, curve, grid, matches_to_reach, ratio_to_reach, spearman
from whetstone.ranking.estimators import ESTIMATORS, Elo, Skills
from whetstone.ranking.schedules.round_robin import random_groups
from whetstone.ranking.schedules.schedule import Matches, play
from whetstone.ranking.strengths import fit_strengths
from whetstone.ranking.voters import Voters

N = 40_000


def repeated(systems, n=N, one_item=False):
    return Matches(np.tile(systems, (n, 1)), np.zeros(n, np.intp) if one_item else np.arange(n))


def first_wins(voters, systems=(0, 1), **options):
    places = voters.judge(seed=1)(repeated(systems, **options))
    return (places[:, 0] < places[:, 1]).mean(), (places[:, 0] == places[:, 1]).mean()


def test_two_systems_win_as_bradley_and_terry_have_it():
    won, tied = first_wins(Voters(np.array([0.8, 0.0])))
    assert won == pytest.approx(expit(0.8), abs=0.01)
    assert tied == 0


def test_rankings_follow_plackett_and_luce():
    skills = np.array([1.0, 0.0, -0.5, -1.0])
    places = Voters(skills).judge(seed=2)(repeated((3, 1, 0, 2)))
    best = np.array([3, 1, 0, 2])[places.argmin(axis=1)]
    assert np.bincount(best) / N == pytest.approx(np.exp(skills) / np.exp(skills).sum(), abs=0.01)
    assert (np.sort(places, axis=1) == np.arange(4)).all()


def test_position_ties_and_carelessness():
    even = np.zeros(2)
    assert first_wins(Voters(even, position=0.7))[0] == pytest.approx(expit(0.7), abs=0.01)
    won, tied = first_wins(Voters(even, tie=0.5))
    assert tied == pytest.approx(2 * expit(0.5) - 1, abs=0.01)
    assert won == pytest.approx((1 - tied) / 2, abs=0.01)
    assert first_wins(Voters(np.array([50.0, 0.0]), careless=0.3))[0] == pytest.approx(0.85, abs=0.01)


def test_an_output_keeps_its_quality_when_it_is_judged_again():
    voters = Voters(np.zeros(2), spread=1.0, noise=0.0)
    assert first_wins(voters, one_item=True, n=100)[0] in (0.0, 1.0)
    assert first_wins(voters)[0] == pytest.approx(0.5, abs=0.01)
    judge, again = voters.judge(seed=4), voters.judge(seed=4)
    late = judge(Matches(np.array([[0, 1]]), np.array([700])))
    for item in (3, 500):
        again(Matches(np.array([[0, 1]]), np.array([item])))
    assert (again(Matches(np.array([[0, 1]]), np.array([700]))) == late).all()


def test_voters_refuse_what_makes_no_sense():
    for setting in ({"noise": -1.0}, {"careless": 1.1}, {"tie": -0.1}, {"spread": -1.0}):
        with pytest.raises(ConfigError):
            Voters(np.zeros(2), **setting)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("size", [2, 4])
def test_estimators_find_the_planted_order(name, size):
    skills = np.linspace(3, -3, 8)
    learner = ESTIMATORS[name](8)
    found = curve(random_groups(8, size=size, seed=1), Voters(skills).judge(seed=1), learner, skills, [10, 1500])
    assert found[1] > 0.95
    assert found[1] > found[0]


def test_estimators_agree_with_the_methods_of_the_same_name():
    played = play(random_groups(6, seed=2), Voters(np.linspace(1, -1, 6), tie=0.3).judge(seed=2), most=200)
    skills, strengths = Skills(6, floor=1e-4), ESTIMATORS["bradley_terry"](6)
    for learner in (skills, strengths):
        learner.learn(played.matches, played.places)
    assert skills.scores == pytest.approx(bayesian_skill(played.comparisons("abcdef"), floor=1e-4).scores)
    exact = fit_strengths(count(played.comparisons("abcdef")), prior=1.0).fit.strengths
    assert strengths.scores == pytest.approx(exact, abs=1e-8)


def test_elo_moves_winners_up_by_what_was_unexpected():
    elo = Elo(2, k_factor=32)
    elo.learn(Matches(np.array([[0, 1]]), np.array([0])), np.array([[0, 1]]))
    assert elo.scores == pytest.approx(np.array([16, -16]) * np.log(10) / 400)


def test_without_a_floor_a_newcomer_among_three_that_are_known_is_frozen():
    free, held = Skills(4, floor=1e-4), Skills(4)
    for learner in (free, held):
        learner.variances[1:] = [0.5] * 3
        learner.learn(Matches(np.array([[0, 1, 2, 3]]), np.array([0])), np.array([[3, 0, 1, 2]]))
    assert np.sqrt(free.variances).min() < 0.1
    assert np.sqrt(held.variances[0]) > 5


def test_a_mean_curve_crosses_where_it_does():
    at = [10, 20, 40]
    curves = np.array([[0.2, 0.6, 0.9], [0.4, 0.8, 1.0]])
    assert matches_to_reach(curves, at, 0.7).value == pytest.approx(20)
    assert matches_to_reach(curves, at, 0.1).value == pytest.approx(10)
    assert 20 < matches_to_reach(curves, at, 0.8).value < 40
    never = matches_to_reach(curves, at, 0.96)
    assert never.value is None
    assert "0.950 after 40 matches" in never.note
    assert crossing(np.array([[0.1, 0.2, 0.3]]), at, 0.5)[0] == np.inf
    unsure = matches_to_reach(curves, at, 0.94)
    assert unsure.interval[1] == np.inf


def test_a_ratio_is_paired_and_says_when_it_is_not_known():
    at = [10, 20, 40]
    fast = (np.array([[0.9, 0.95, 1.0]] * 3), at)
    slow = (np.array([[0.1, 0.5, 0.9]] * 3), at)
    assert ratio_to_reach(slow, fast, 0.9).value == pytest.approx(4)
    assert ratio_to_reach(slow, fast, 0.9).interval == pytest.approx((4, 4))
    assert "more than 2 times" in ratio_to_reach(slow, fast, 0.95).note
    assert ratio_to_reach(fast, slow, 0.95).value is None


def test_correlation_leaves_out_who_does_not_count():
    assert spearman(np.array([3.0, 2.0, 1.0, 9.0]), np.array([30.0, 20.0, 10.0, np.nan])) == pytest.approx(1)
    assert spearman(np.zeros(3), np.arange(3.0)) == 0


def test_the_grid_rises_to_its_end():
    assert grid(100)[0] == 8
    assert grid(100)[-1] == 100
    assert (np.diff(grid(1000)) > 0).all()
