"""The rules of one server's load, with a made-up clock."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.models.http.endpoint import Endpoint, full_jitter


def rounds(endpoint: Endpoint, count: int, now: float = 0.0) -> list[int]:
    """How many calls a server that always answers gets in each of some rounds."""
    sizes = []
    for i in range(count):
        started = 0
        while endpoint.room(now + i):
            endpoint.begin()
            started += 1
        sizes.append(started)
        for _ in range(started):
            endpoint.succeed()
    return sizes


def test_doubles_until_the_most():
    assert rounds(Endpoint("u", 100), 6) == [8, 16, 32, 64, 100, 100]


def test_halves_once_a_round_and_then_creeps():
    endpoint = Endpoint("u", 100)
    rounds(endpoint, 5)
    for _ in range(100):
        endpoint.begin()
    for _ in range(100):
        endpoint.set_back(3.0, 4.0, after=0.0)
    assert endpoint.limit == 50
    assert rounds(endpoint, 10, now=5.0)[::9] == [50, 58]


def test_never_below_one():
    endpoint = Endpoint("u", 100)
    for i in range(20):
        endpoint.begin()
        endpoint.set_back(i, i + 0.5, after=0.0)
    assert endpoint.limit == 1
    assert rounds(endpoint, 1, now=100.0) == [1]


def test_an_idle_server_does_not_grow():
    endpoint = Endpoint("u", 100)
    for _ in range(50):
        endpoint.begin()
        endpoint.succeed()
    assert endpoint.limit == 8


def test_rests_as_long_as_it_asks():
    endpoint = Endpoint("u", 100)
    endpoint.begin()
    endpoint.set_back(0.0, 1.0, after=5.0)
    assert not endpoint.room(5.9)
    assert endpoint.room(6.0)


def test_after_an_interruption_one_call_tries():
    endpoint = Endpoint("u", 100, Random(0))
    endpoint.answered = True
    for _ in range(4):
        endpoint.begin()
    for _ in range(4):
        endpoint.set_back(0.0, 1.0, away=True)
    later = endpoint.rests_until
    assert endpoint.room(later)
    endpoint.begin()
    assert not endpoint.room(later)
    endpoint.succeed()
    assert rounds(endpoint, 1, now=later) == [4]
    assert not endpoint.hopeless


def test_one_that_never_answers_is_hopeless_after_three_rounds():
    endpoint = Endpoint("u", 100)
    for i in range(3):
        assert not endpoint.hopeless
        endpoint.begin()
        endpoint.set_back(i, i + 0.5, away=True)
    assert endpoint.hopeless


@pytest.mark.parametrize("attempt", [0, 1, 3, 50])
def test_full_jitter_is_uniform_from_zero(attempt):
    rng = Random(1)
    draws = [full_jitter(attempt, rng) for _ in range(4000)]
    bound = min(30.0, 0.5 * 2**attempt)
    assert min(draws) < 0.01 * bound
    assert 0.98 * bound < max(draws) <= bound
    assert abs(sum(draws) / len(draws) - bound / 2) < 0.03 * bound
