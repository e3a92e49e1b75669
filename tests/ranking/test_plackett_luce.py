"""Plackett-Luce: planted strengths, another package's numbers, ties, priors."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from whetstone.core.errors import TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Rankings
from whetstone.ranking.plackett_luce import plackett_luce

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def drawn(n, *, seed=0, width=3, strengths=TRUTH, group=None):
    rng = np.random.default_rng(seed)
    shown = np.stack([rng.permutation(len(strengths))[:width] for _ in range(n)])
    quality = strengths[shown] + rng.gumbel(size=shown.shape)
    order = np.take_along_axis(shown, np.argsort(-quality, axis=1), axis=1)
    return Rankings(NAMES[: len(strengths)], order, group=group)


def minorised(order, rounds=20_000):
    """Hunter's MM iteration on complete rows, as slow and plain as it is in the paper."""
    strength = np.ones(order.max() + 1)
    for _ in range(rounds):
        wins, exposure = np.zeros_like(strength), np.zeros_like(strength)
        for row in order:
            for place in range(len(row) - 1):
                wins[row[place]] += 1
                exposure[row[place:]] += 1 / strength[row[place:]].sum()
        new = wins / exposure
        new /= new.sum()
        if np.abs(new / strength - 1).max() < 1e-12:
            break
        strength = new
    return np.log(strength) - np.log(strength).mean()


def test_finds_the_planted_strengths():
    found = plackett_luce(drawn(4000, width=4))
    assert found.scores == pytest.approx(TRUTH, abs=0.1)
    assert found.tier.tolist() == [1, 2, 3, 4, 5]
    level = plackett_luce(drawn(400, strengths=np.zeros(5)))
    assert set(level.tier.tolist()) == {1}


def test_strengths_are_those_of_choix():
    reference = json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))[
        "plackett_luce"
    ]
    order = np.full((len(reference["rankings"]), 4), -1)
    for row, ranking in zip(order, reference["rankings"], strict=True):
        row[: len(ranking)] = ranking
    assert plackett_luce(Rankings(NAMES, order)).scores == pytest.approx(np.array(reference["strengths"]), abs=1e-8)


def test_newton_reaches_what_the_mm_iteration_reaches():
    rankings = drawn(40, width=3)
    assert plackett_luce(rankings).scores == pytest.approx(minorised(rankings.order), abs=1e-8)


def test_rankings_of_two_are_bradley_terry():
    rankings = drawn(300, width=2)
    pair, model = plackett_luce(rankings), bradley_terry(rankings.pairs(), covariance="sandwich")
    assert pair.scores == pytest.approx(model.scores, abs=1e-8)
    assert pair.covariance == pytest.approx(model.covariance * 300 / 299, abs=1e-8)


def test_a_tie_is_every_order_equally():
    rng = np.random.default_rng(1)
    shown = np.stack([rng.permutation(5)[:4] for _ in range(60)])
    tied = np.zeros((60, 4), bool)
    tied[:, 1:3] = True
    orders = [[*p, row[3]] for row in shown.tolist() for p in permutations(row[:3])]
    spelt_out = Rankings(NAMES, np.array(orders), group=np.repeat(np.arange(60), 6))
    found = plackett_luce(Rankings(NAMES, shown, tied))
    expected = plackett_luce(spelt_out)
    assert found.scores == pytest.approx(expected.scores, abs=1e-8)
    assert found.covariance == pytest.approx(expected.covariance, abs=1e-8)
    with pytest.raises(TaskError, match="row 1: 6 systems are tied"):
        plackett_luce(Rankings(tuple("abcdef"), np.arange(6)[None], np.ones((1, 6), bool)))


def test_unlisted_systems_were_not_shown():
    rankings = drawn(200, width=3)
    padded = Rankings(NAMES, np.hstack([rankings.order, np.full((200, 2), -1)]))
    assert plackett_luce(padded).scores == pytest.approx(plackett_luce(rankings).scores)


def test_a_system_that_is_always_last_is_named_and_finite():
    rows = np.array([[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0]] * 3 + [[0, 1, 3], [1, 2, 3]])
    found = plackett_luce(Rankings(NAMES[:4], rows))
    assert np.isfinite(found.scores).all()
    assert found.order[-1] == 3
    assert "never won" in " ".join(found.notes)
    assert any(note.endswith(": d") for note in found.notes)
    assert found.settings["covariance"] == "model"
    with pytest.raises(TaskError, match="never won"):
        plackett_luce(Rankings(NAMES[:4], rows), prior=0.0)


def test_rankings_of_one_group_that_repeat_each_other_count_once():
    once = drawn(150)
    thrice = Rankings(NAMES, np.repeat(once.order, 3, axis=0), group=np.repeat(np.arange(150), 3))
    single = plackett_luce(Rankings(NAMES, once.order, group=np.arange(150)))
    repeated = plackett_luce(thrice)
    assert repeated.scores == pytest.approx(single.scores, abs=1e-8)
    assert repeated.covariance == pytest.approx(single.covariance, abs=1e-8)


def test_rankings_of_one_prompt_alone_are_taken_as_independent():
    rng = np.random.default_rng(0)
    order = np.argsort(-(np.array([1.0, 0.0, -1.0]) + rng.gumbel(size=(80, 3))), axis=1)
    free, alone = (Rankings(("a", "b", "c"), order, group=group) for group in (None, np.zeros(80, dtype=np.int64)))
    one, other = plackett_luce(free), plackett_luce(alone)
    np.testing.assert_allclose(one.low, other.low)
    assert any("of one group" in note for note in other.notes)
    assert not one.notes
