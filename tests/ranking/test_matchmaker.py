"""Matches one at a time: balanced orders, shared items, and results in any order."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.schedules.matchmaker import Choice, Match, Matchmaker
from whetstone.ranking.schedules.schedule import Matches
from whetstone.ranking.voters import Voters

CHOICES = get_args(Choice)
ALL = np.ones((6, 20), dtype=bool)


def run(maker, skills, n, seed=0, late=1):
    """Play n matches; votes come `late` matches after they were handed out."""
    judge = Voters(np.asarray(skills, dtype=float)).judge(seed=seed)
    played, waiting = [], []
    for _ in range(n):
        match = maker.next(waiting=waiting)
        maker.hand_out(match)
        waiting.append(match)
        if len(waiting) >= late:
            done = waiting.pop(0)
            maker.learn(done, judge(Matches(np.array([done.systems]), np.array([done.item])))[0].tolist())
        played.append(match)
    return played


@pytest.mark.parametrize("choice", CHOICES)
def test_pairs_are_shown_in_both_orders_equally_often(choice):
    maker = Matchmaker(ALL, choice=choice, seed=1)
    run(maker, np.linspace(1, -1, 6), 400, late=3)
    assert np.abs(maker.before - maker.before.T).max() <= 1
    firsts = {run(Matchmaker(ALL, choice=choice, seed=s), np.zeros(6), 1)[0].systems[0] for s in range(30)}
    assert len(firsts) > 3


@pytest.mark.parametrize("choice", CHOICES)
def test_groups_even_out_who_stands_where(choice):
    maker = Matchmaker(ALL, size=4, choice=choice, seed=2)
    played = run(maker, np.zeros(6), 300)
    assert all(len(set(match.systems)) == 4 for match in played)
    assert np.abs(maker.before - maker.before.T).max() <= 12
    first = np.bincount([match.systems[0] for match in played], minlength=6)
    assert first.max() < 2 * first.min()


def test_only_systems_with_an_output_meet_on_an_item():
    rng = np.random.default_rng(0)
    have = rng.random((6, 30)) < 0.6
    for size in (2, 3):
        for match in run(Matchmaker(have, size=size), np.zeros(6), 200):
            assert have[list(match.systems), match.item].all()


def test_a_voter_gets_no_pair_twice_on_one_item_while_there_are_others():
    maker, seen = Matchmaker(np.ones((2, 10), dtype=bool)), []
    for _ in range(10):
        match = maker.next(seen=set(seen))
        maker.hand_out(match)
        seen.append((frozenset(match.systems), match.item))
    assert len(set(seen)) == 10


def test_open_matches_are_not_handed_out_again_and_the_same_votes_give_the_same_match():
    maker = Matchmaker(ALL)
    waiting = []
    for _ in range(5):
        waiting.append(maker.next(waiting=waiting))
        maker.hand_out(waiting[-1])
    assert len({frozenset(match.systems) for match in waiting}) == 5
    one, other = (run(Matchmaker(ALL, seed=4), np.arange(6.0), 60, seed=3) for _ in range(2))
    assert one == other


def test_it_settles_the_planted_order_and_plays_on():
    maker = Matchmaker(np.ones((4, 50), dtype=bool))
    assert not maker.settled
    run(maker, [3.0, 1.0, -1.0, -3.0], 600)
    assert maker.settled
    assert (maker.belief.better == np.triu(np.ones((4, 4), bool), 1)).all()
    assert isinstance(maker.next(), Match), "who goes on voting gets matches"
    groups = Matchmaker(np.ones((5, 50), dtype=bool), size=3)
    run(groups, [4.0, 2.0, 0.0, -2.0, -4.0], 400)
    assert groups.settled


def test_it_plays_more_what_tells_more_and_forgets_nobody():
    maker = Matchmaker(np.ones((4, 50), dtype=bool))
    run(maker, [4.0, 0.2, -0.2, -4.0], 400)
    assert maker.met[1, 2] > 2 * maker.met[0, 3] > 0


def false_tiers(choice, runs, k=8, n=300):
    """Share of arenas of equal systems in which some stand in different tiers, and of planted ones, intervals held."""
    apart, held = 0, []
    for seed in range(runs):
        for skills in (np.zeros(k), np.linspace(1.2, -1.2, k)):
            maker = Matchmaker(np.ones((k, 40), dtype=bool), choice=choice, seed=seed)
            judge = Voters(skills).judge(seed=seed)
            played = [maker.next()]
            for _ in range(n):
                places = judge(Matches(np.array([played[-1].systems]), np.array([played[-1].item])))[0].tolist()
                maker.hand_out(played[-1])
                maker.learn(played[-1], places)
                played[-1] = (*played[-1].systems, np.sign(places[1] - places[0]))
                played.append(maker.next())
            left, right, outcome = np.array(played[:-1]).T
            found = bradley_terry(Comparisons(tuple("abcdefgh"[:k]), left, right, outcome))
            if skills.any():
                held.append((found.low <= skills) & (skills <= found.high))
            else:
                apart += found.tier.max() > 1
    return apart / runs, np.mean(held)


def test_a_greedy_choice_sees_differences_where_there_are_none():
    assert false_tiers("ucb", 12)[0] > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["information", "random"])
def test_intervals_cover_and_tiers_keep_their_error(choice):
    apart, held = false_tiers(choice, 200)
    assert apart <= 0.08
    assert 0.93 <= held <= 0.97


@pytest.mark.parametrize(
    ("have", "options", "said"),
    [
        (ALL, {"size": 7}, "2 to 5"),
        (np.eye(3, dtype=bool), {}, "no prompt has outputs of 2 systems; the most is 1"),
        (np.zeros((2, 0), dtype=bool), {}, "the most is 0"),
    ],
)
def test_what_cannot_be_played_is_refused(have, options, said):
    with pytest.raises(ConfigError, match=said):
        Matchmaker(have, **options)
