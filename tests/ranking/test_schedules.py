"""Schedules: who meets whom, how often, and that what comes back steers what comes next."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.schedules.active import active, evidence
from whetstone.ranking.schedules.k_wise import k_wise
from whetstone.ranking.schedules.round_robin import anchored, random_groups, round_robin
from whetstone.ranking.schedules.schedule import endless, play
from whetstone.ranking.schedules.single_elimination import single_elimination
from whetstone.ranking.schedules.swiss import swiss
from whetstone.ranking.voters import Voters


def certain(k):
    """The lower code always wins."""
    return Voters(-np.arange(k, dtype=float), noise=0.0).judge()


def fair(k, seed=0):
    return Voters(np.zeros(k)).judge(seed=seed)


def meetings(played):
    """How often each pair met on each item."""
    rows = zip(played.matches.item.tolist(), np.sort(played.matches.systems, axis=1).tolist(), strict=True)
    return Counter((item, *pair) for item, pair in rows)


@pytest.mark.parametrize("k", [2, 3, 6, 9])
def test_round_robin_plays_every_pair_once_an_item(k):
    found = meetings(play(round_robin(k, items=3, first_item=5), fair(k)))
    assert set(found.values()) == {1}
    assert set(found) == {(item, i, j) for item in (5, 6, 7) for i in range(k) for j in range(i + 1, k)}


@pytest.mark.parametrize("k", [3, 6, 9])
def test_round_robin_lets_nobody_play_twice_at_once(k):
    batch = next(round_robin(k, items=4))
    seen = Counter(zip(np.repeat(batch.item, 2).tolist(), batch.systems.ravel().tolist(), strict=True))
    assert set(seen.values()) == {1}


def test_anchored_plays_everybody_against_one():
    played = play(anchored(5, anchor=2, items=4), fair(5))
    assert len(played.matches) == 16
    assert (played.matches.systems == 2).any(axis=1).all()


@given(st.integers(2, 33), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_knockout_takes_one_match_less_than_systems_and_the_best_wins(k, items, seed):
    played = play(single_elimination(k, items=items, seed=seed), certain(k))
    assert len(played.matches) == items * (k - 1)
    assert (played.result == 0).all()
    lost = Counter(
        (item, int(systems[places.argmax()]))
        for item, systems, places in zip(
            played.matches.item.tolist(), played.matches.systems, played.places, strict=True
        )
    )
    assert lost == Counter({(item, system): 1 for item in range(items) for system in range(1, k)})


def test_byes_are_needed_only_where_systems_are_no_power_of_two():
    def appearances(k):
        played = play(single_elimination(k, items=200), fair(k))
        return np.bincount(np.bincount(played.matches.item[: 200 * (k // 2)], minlength=200))

    assert len(list(drain(single_elimination(8, items=3), certain(8)))) == 3
    assert len(list(drain(single_elimination(9, items=3), certain(9)))) == 4
    assert appearances(8).nonzero()[0].tolist() == [4]


def drain(schedule, judge):
    try:
        batch = next(schedule)
        while True:
            yield batch
            batch = schedule.send(judge(batch))
    except StopIteration:
        return


def test_a_tie_in_a_knockout_sends_either_on():
    tied = play(single_elimination(2, items=400), Voters(np.zeros(2), noise=0.0).judge())
    assert (tied.places == 0).all()
    assert 150 < tied.result.sum() < 250


@given(st.integers(2, 12), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_swiss_has_no_rematch_while_that_is_possible_and_one_free_at_most(k, seed):
    rounds = (k + 1) // 2
    played = play(swiss(k, rounds=rounds, seed=seed), fair(k, seed))
    assert len(played.matches) == rounds * (k // 2)
    pairs = Counter(pair[1:] for pair in meetings(played))
    assert max(pairs.values()) == 1
    games = np.bincount(played.matches.systems.ravel(), minlength=k)
    assert set(games.tolist()) <= ({rounds} if k % 2 == 0 else {rounds, rounds - 1})
    assert played.result.sum() == rounds * ((k + 1) // 2)


def test_swiss_goes_on_after_everybody_met_everybody():
    assert len(play(swiss(4, rounds=9), fair(4)).matches) == 18


def test_swiss_lets_equals_meet():
    k = 16
    played = play(swiss(k, rounds=4), certain(k))
    last = played.matches.systems[-8:]
    assert played.result[0] == 4
    assert np.abs(last[:, 0] - last[:, 1]).mean() < 6


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: round_robin(6, items=4, seed=seed),
        lambda seed: single_elimination(6, items=4, seed=seed),
        lambda seed: swiss(6, rounds=4, seed=seed),
        lambda seed: k_wise(6, seed=seed),
        lambda seed: random_groups(6, size=3, seed=seed),
        lambda seed: active(6, seed=seed),
        lambda seed: active(6, criterion="ucb", seed=seed),
    ],
)
def test_same_seed_same_matches_and_nobody_is_always_shown_first(make):
    first, again, other = (play(make(seed), fair(6), most=60) for seed in (1, 1, 2))
    assert (first.matches.systems == again.matches.systems).all()
    assert (
        first.matches.systems.shape != other.matches.systems.shape
        or (first.matches.systems != other.matches.systems).any()
    )
    many = play(endless(lambda item: make(item)), fair(6), most=1200).matches.systems
    n = np.bincount(many.ravel(), minlength=6)
    share = np.bincount(many[:, 0], minlength=6) / n
    assert (np.abs(share - 1 / many.shape[1]) < 4 * np.sqrt(0.25 / n)).all()


def test_k_wise_first_meets_everybody_then_neighbours():
    k = 12
    played = play(k_wise(k, size=4), Voters(np.linspace(3, -3, k)).judge(seed=1), most=400)
    early, late = played.matches.systems[:20], played.matches.systems[-200:]
    assert len({pair for row in early for pair in row.tolist()}) == k
    random = play(random_groups(k, size=4), fair(k), most=200).matches.systems
    assert np.ptp(late, axis=1).mean() < np.ptp(random, axis=1).mean() - 1


def test_played_matches_are_rankings_and_comparisons():
    played = play(k_wise(5, size=3), certain(5), most=7)
    rankings = played.rankings("abcde")
    assert (np.diff(rankings.order, axis=1) > 0).all(), "the lower code always wins"
    assert len(played.comparisons("abcde")) == 21
    pairs = play(round_robin(3), certain(3)).comparisons("xyz")
    assert ((pairs.left < pairs.right) == (pairs.outcome == 1)).all()
    ties = play(round_robin(3), Voters(np.zeros(3), noise=0.0).judge()).comparisons("xyz")
    assert (ties.outcome == 0).all()


def test_a_cut_schedule_has_no_result():
    played = play(single_elimination(8, items=2), certain(8), most=5)
    assert len(played.matches) == 5
    assert played.result is None
    nothing = play(single_elimination(8), certain(8), most=0)
    with pytest.raises(TaskError, match="nothing to rank"):
        nothing.comparisons("abcdefgh")


@pytest.mark.parametrize("criterion", ["information", "ucb"])
def test_active_matching_stops_with_the_planted_order(criterion):
    k = 6
    played = play(active(k, criterion=criterion), Voters(np.linspace(4, -4, k)).judge(seed=3))
    assert (played.result.better == np.triu(np.ones((k, k), bool), 1)).all()
    assert not len(played.result.cyclic)
    assert played.result.matches == len(played.matches) < 600


def test_active_matching_spends_its_matches_on_those_hard_to_tell_apart():
    skills = np.array([4.0, 0.3, -0.3, -4.0])
    met = meetings(play(active(4, criterion="ucb"), Voters(skills).judge(seed=0), most=300))
    total = Counter()
    for (_, i, j), n in met.items():
        total[i, j] += n
    assert total[1, 2] > 3 * total[0, 3]


def test_active_matching_names_a_circle():
    def circle(matches):
        """Rock, paper, scissors."""
        first = (matches.systems[:, 1] - matches.systems[:, 0]) % 3 == 1
        return np.where(first[:, None], [[0, 1]], [[1, 0]])

    found = play(active(3, transitive=False), circle).result
    assert found.cyclic.tolist() == [0, 1, 2]
    assert found.better.sum() == 3
    assert play(active(3), circle).result.matches < found.matches, "the third pair is taken for granted"


def false_orders(repeats, skills, criterion, most, level=0.9):
    """Share of runs in which any settled pair is wrong, looked at whenever the schedule likes to stop."""
    truth = skills[:, None] > skills[None]
    wrong = 0
    for seed in range(repeats):
        judge = Voters(skills, tie=0.3, position=0.5).judge(seed=seed)
        schedule = active(len(skills), criterion=criterion, level=level, seed=seed)
        claimed = settled(schedule, judge, most)
        wrong += bool((claimed & ~truth).any())
    return wrong / repeats


def settled(schedule, judge, most):
    """What an active schedule holds for settled after so many matches at the latest: its own end, or its locals."""
    try:
        batch = next(schedule)
        for _ in range(most):
            batch = schedule.send(judge(batch))
    except StopIteration as stop:
        return stop.value.better
    return schedule.gi_frame.f_locals["belief"].better


@pytest.mark.parametrize("criterion", ["information", "ucb"])
def test_the_stop_may_be_trusted_at_any_time(criterion):
    assert false_orders(40, np.zeros(3), criterion, 150) <= 0.15


@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["information", "ucb"])
@pytest.mark.parametrize("skills", [np.zeros(3), np.array([0.5, 0.0, 0.0, -0.5])], ids=["equal", "some equal"])
def test_the_stop_keeps_the_family_wise_error(criterion, skills):
    assert false_orders(300, skills, criterion, 1500) <= 0.1


def test_evidence_is_fair_against_equals_and_grows_with_wins():
    n = 12
    wins = np.arange(n + 1)
    chance = np.array([float(np.prod([(n - i) / (i + 1) for i in range(w)])) for w in wins]) / 2**n
    assert sum(p * np.exp(evidence(w, n - w)) for p, w in zip(chance, wins, strict=True)) == pytest.approx(1.0)
    assert evidence(20, 0) > evidence(15, 5) > evidence(10, 10) > evidence(5, 15)
    assert np.isfinite(evidence(3000, 1000))


@pytest.mark.parametrize(
    "make",
    [
        lambda: round_robin(1),
        lambda: round_robin(3, items=0),
        lambda: anchored(3, anchor=3),
        lambda: single_elimination(1),
        lambda: swiss(4, rounds=0),
        lambda: k_wise(3, size=4),
        lambda: k_wise(4, exploration=-1.0),
        lambda: random_groups(3, size=4),
        lambda: active(3, criterion="luck"),
        lambda: active(3, level=1.0),
    ],
)
def test_what_cannot_be_scheduled_is_refused(make):
    with pytest.raises(ConfigError):
        next(make())
