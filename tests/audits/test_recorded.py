"""Recorded verdicts: planted biases are found at their size, nothing in a fair judge, and a million are few."""

from __future__ import annotations

import time

import numpy as np
import pytest

from whetstone.audits.recorded import Verdicts, audit_verdicts, cycles, repeats
from whetstone.core.errors import ConfigError


def judged(
    seed: int,
    pairs: int,
    *,
    error: float = 0.25,
    position: float = 0.0,
    length: float = 0.0,
    favour: float = 0.0,
    unreadable: float = 0.0,
) -> Verdicts:
    """Both orders of pairs on prompts of four pairs each, by a judge that errs at random and then by its biases.

    A bias is the probability of choosing by it alone.
    """
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 2, pairs).astype(float)
    lengths = rng.integers(20, 900, (pairs, 2)).astype(float)
    first = rng.integers(0, 4, pairs)
    sources = np.stack([first, (first + rng.integers(1, 4, pairs)) % 4], axis=1)

    def ask(swapped: bool) -> np.ndarray:
        truth = 1 - gold if swapped else gold
        long = lengths[:, ::-1] if swapped else lengths
        who = sources[:, ::-1] if swapped else sources
        chosen = np.where(rng.random(pairs) < error, 1 - truth, truth)
        chosen = np.where(rng.random(pairs) < length, long[:, 0] > long[:, 1], chosen)
        own = (who == 0).any(axis=1) & (rng.random(pairs) < favour)
        chosen = np.where(own, who[:, 0] == 0, chosen)
        chosen = np.where(rng.random(pairs) < position, 1.0, chosen).astype(float)
        chosen[rng.random(pairs) < unreadable] = np.nan
        return chosen

    return Verdicts(
        np.concatenate([ask(False), ask(True)]),
        np.tile(np.arange(pairs), 2),
        np.repeat([False, True], pairs),
        np.concatenate([gold, 1 - gold]),
        np.concatenate([lengths, lengths[:, ::-1]]),
        np.concatenate([sources, sources[:, ::-1]]),
        ("judge", "b", "c", "d"),
        np.tile(np.arange(pairs) // 4, 2),
    )


def audit(verdicts: Verdicts) -> dict:
    return {f.name: f for f in audit_verdicts(verdicts, own="judge")}


TESTED = ("first_position", "length_errors", "self_preference", "self_errors")


@pytest.mark.parametrize(
    ("planted", "finds", "size"),
    [
        ({"position": 0.2}, "first_position", 0.6),
        ({"length": 0.3}, "length_errors", 0.3),
        ({"favour": 0.3}, "self_errors", 0.3),
    ],
)
def test_finds_each_planted_bias_at_its_size_and_no_other(planted, finds, size) -> None:
    found = audit(judged(1, 3000, **planted))
    assert found[finds].interval[0] < size < found[finds].interval[1]
    biased = {name for name in TESTED if found[name].p < 0.01}
    assert biased - {"self_preference"} == {finds}
    assert ("self_preference" in biased) == ("favour" in planted)
    assert found["kappa"].verdict == "agrees beyond chance"


def test_accuses_fair_judges_at_the_nominal_rate() -> None:
    accused = dict.fromkeys(TESTED, 0)
    for seed in range(200):
        found = audit(judged(seed, 120))
        for name in TESTED:
            accused[name] += found[name].p < 0.05
    assert all(2 <= count <= 19 for count in accused.values()), accused


def test_accuracy_consistency_and_silence() -> None:
    found = audit(judged(2, 2000, unreadable=0.1))
    assert found["unreadable"].estimate == pytest.approx(0.1, abs=0.02)
    assert found["accuracy"].estimate == pytest.approx(0.75 * 0.9, abs=0.03), "what cannot be read is not right"
    assert found["order_consistency"].estimate == pytest.approx(0.81 * (0.75**2 + 0.25**2) + 0.01, abs=0.03)
    assert found["first_position"].detail["left_out"] == pytest.approx(2000 * 0.19, abs=80)


def test_repeats_and_cycles_by_hand() -> None:
    same = Verdicts(np.array([1, 1, 0, 1, np.nan]), np.array([0, 0, 0, 1, 1]))
    (found,) = repeats(same)
    assert (found.estimate, found.n) == (pytest.approx((1 / 3 + 0) / 2), 2)
    assert repeats(Verdicts(np.array([1.0, 0.0]))) == []
    sources = np.array([[0, 1], [1, 2], [2, 0], [0, 1], [1, 2], [0, 2]])
    group = np.array([0, 0, 0, 1, 1, 1])
    (round_and_straight,) = cycles(Verdicts(np.ones(6), sources=sources, names=tuple("abc"), group=group))
    assert (round_and_straight.estimate, round_and_straight.n) == (0.5, 2)
    tied = Verdicts(np.array([1, 1, 0.5]), sources=sources[:3], names=tuple("abc"), group=group[:3])
    assert cycles(tied) == []


def test_columns_must_fit() -> None:
    with pytest.raises(ConfigError, match="differ in length"):
        Verdicts(np.ones(3), gold=np.ones(2))
    with pytest.raises(ConfigError, match="no answers of 'me'"):
        audit_verdicts(judged(1, 10), own="me")
    bare = {f.name for f in audit_verdicts(Verdicts(np.array([1.0, 0.0])))}
    assert bare == {"unreadable"}


def test_a_million_verdicts() -> None:
    verdicts = judged(3, 500_000, position=0.1)
    began = time.process_time()
    found = audit(verdicts)
    assert time.process_time() - began < 20
    assert found["first_position"].estimate == pytest.approx(0.55, abs=0.002)
    assert found["length_errors"].interval[1] - found["length_errors"].interval[0] < 0.01
