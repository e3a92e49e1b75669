"""One right answer among many wrong ones."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.one_vs_many import binomial_p, one_right, one_vs_many, ranked
from whetstone.core.types import Case, Signal


def audit(toy, seed: int, n: int, *, skill: float):
    """Nine wrong answers with uniform values; the right one's is uniform too, plus `skill`."""
    rng = Random(seed)
    texts = toy.candidates(*map(str, range(10)))
    cases = [Case(toy.question(i), texts, (True,) + (False,) * 9) for i in range(n)]
    values = [[Signal(rng.random() + (skill if j == 0 else 0), "score") for j in range(10)] for _ in range(n)]
    return {f.name: f for f in ranked(cases, values)}


def test_finds_the_planted_rank_and_chance_in_noise(toy) -> None:
    sharp = audit(toy, 0, 200, skill=1.0)
    assert sharp["first_place"].estimate == sharp["reciprocal_rank"].estimate == 1
    assert sharp["first_place"].null == pytest.approx(0.1)
    middling = audit(toy, 0, 300, skill=0.3)
    assert middling["first_place"].estimate == pytest.approx(0.3 + (1 - 0.3**10) / 10, abs=0.09)
    chance = audit(toy, 1, 300, skill=0.0)
    assert chance["first_place"].interval[0] < 0.1 < chance["first_place"].interval[1]
    harmonic = sum(1 / r for r in range(1, 11)) / 10
    assert chance["reciprocal_rank"].interval[0] < harmonic < chance["reciprocal_rank"].interval[1]
    accused = sum(audit(toy, seed, 60, skill=0.0)["first_place"].p < 0.05 for seed in range(200))
    assert accused <= 19


def test_ties_are_not_first(toy) -> None:
    case = Case(toy.question(0), toy.candidates("a", "b"), (True, False))
    found = {f.name: f.estimate for f in ranked([case], [[Signal(1.0, "score"), Signal(1.0, "score")]])}
    assert found == {"first_place": 0, "reciprocal_rank": 0.5}


def test_takes_one_right_answer_and_a_limited_number_of_wrong_ones(toy) -> None:
    case = Case(toy.question(0), toy.candidates(*"abcde"), (False, None, True, False, True))
    trimmed = one_right(case, 1)
    assert [c.text for c in trimmed.candidates] == ["c", "a"]
    assert one_right(Case(toy.question(0), toy.candidates("a"), (True,)), 9) is None


def test_runs_a_signal(toy) -> None:
    cases = [toy.case(i, ("short", "the longest", "longer"), (False, True, False)) for i in range(10)]
    found = {f.name: f for f in toy.run(one_vs_many(toy.task, cases, signal="answer_length"))}
    assert (found["first_place"].estimate, found["first_place"].verdict) == (
        1,
        "finds the right answer more often than chance",
    )


def test_the_binomial_p_is_exact() -> None:
    assert binomial_p(10, 10, 0.5) == pytest.approx(2 / 1024)
    assert binomial_p(0, 3, 0.25) == pytest.approx(2 * 0.75**3)
    assert binomial_p(5, 10, 0.5) == 1
