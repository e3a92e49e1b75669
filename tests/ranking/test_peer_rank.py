"""Peer rank: planted skills, self-favouring judges, weights that come to rest."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking._peers import vote, weighted, win_rates
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.peer_rank import peer_rank

NAMES = ("best", "good", "fair", "weak", "vain")
SKILL = np.array([2.0, 1.3, 0.6, 0.0, -0.6])


def reviews(*, vain: bool = True, items: int = 40, seed: int = 0) -> Comparisons:
    """All judge all pairs; who is able judges well; the last one favours itself whatever it sees."""
    rng = np.random.default_rng(seed)
    shown = SKILL + rng.normal(0, 0.6, (items, 5))
    left, right, judge, outcome, group = [], [], [], [], []
    for item in range(items):
        for a in range(5):
            for b in range(5):
                for j in range(5):
                    if a == b:
                        continue
                    seen = shown[item, a] - shown[item, b] + rng.normal(0, 1.5 * np.exp(-SKILL[j] / 2))
                    if vain and j == 4 and 4 in (a, b):
                        seen = 1.0 if a == 4 else -1.0
                    left.append(a)
                    right.append(b)
                    judge.append(j)
                    group.append(item)
                    outcome.append(int(np.sign(seen)) if abs(seen) > 0.2 else 0)
    codes: list[NDArray[np.int32]] = [np.array(c, dtype=np.int32) for c in (left, right, outcome, group, judge)]
    return Comparisons(NAMES, codes[0], codes[1], codes[2], group=codes[3], judge=codes[4], judges=NAMES)


@pytest.mark.parametrize("score", ["win_rate", "elo"])
def test_planted_skills_come_out_and_who_favours_itself_loses_weight(score: str) -> None:
    found = peer_rank(reviews(items=15), score=score, orders=10)
    assert found.settled
    assert [NAMES[i] for i in found.ranking.order] == list(NAMES)
    assert found.weights[4] == 0
    assert (np.diff(found.weights) < 0).all()
    assert found.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.history[0], 0.2)


def test_self_favouring_lifts_a_win_rate_and_peer_weights_take_it_back() -> None:
    honest, vain = reviews(vain=False), reviews(vain=True)
    lift_plain = win_rates(vain)[4] - win_rates(honest)[4]
    lift_peer = peer_rank(vain).ranking.scores[4] - peer_rank(honest).ranking.scores[4]
    assert lift_plain > 0.08
    assert abs(lift_peer) < lift_plain / 4
    assert "vain" not in {NAMES[i] for i in peer_rank(vain, own=False).ranking.order[:4]}


def test_weights_are_a_fixed_point_of_the_published_formula() -> None:
    rows = reviews()
    found = peer_rank(rows)
    rates = win_rates(weighted(rows, found.weights))
    np.testing.assert_allclose(rates, found.ranking.scores, atol=1e-9)
    spread = (rates - rates.min()) / np.ptp(rates)
    np.testing.assert_allclose(found.weights, spread / spread.sum(), atol=1e-8)


def test_does_not_depend_on_the_order_of_rows_or_the_scale_of_weights() -> None:
    rows = reviews(items=10)
    shuffled = rows.take(np.random.default_rng(1).permutation(len(rows)))
    np.testing.assert_allclose(peer_rank(shuffled).ranking.scores, peer_rank(rows).ranking.scores, atol=1e-9)


def test_judges_from_outside_have_the_mean_weight() -> None:
    rows = reviews(items=10)
    mixed = Comparisons(
        NAMES, rows.left, rows.right, rows.outcome, judge=rows.judge, judges=("best", "good", "fair", "weak", "human")
    )
    found = peer_rank(mixed)
    assert found.weights[4] == pytest.approx(found.weights[:4].mean())


def test_a_vote_takes_both_orders_of_a_pair_together_and_ties_within_the_band() -> None:
    rows = Comparisons(
        ("a", "b", "c"),
        np.array([0, 1, 0, 2]),
        np.array([1, 0, 2, 1]),
        np.array([1, -1, 0, 1]),
        weight=np.array([1.0, 1.0, 1.0, 0.0]),
    )
    decided = vote(rows)
    assert (decided.left.tolist(), decided.right.tolist(), decided.outcome.tolist()) == ([0, 0], [1, 2], [1, 0])
    near = Comparisons(("a", "b"), np.array([0, 0]), np.array([1, 1]), np.array([1, -1]), weight=np.array([1.01, 1.0]))
    assert vote(near, band=0.01).outcome.tolist() == [0]
    assert vote(near).outcome.tolist() == [1]


def test_mistakes_are_named() -> None:
    rows = reviews(items=2)
    with pytest.raises(ConfigError, match="minmax"):
        peer_rank(rows, reweight="none")
    bare = Comparisons(NAMES, rows.left, rows.right, rows.outcome)
    with pytest.raises(TaskError, match="peers"):
        peer_rank(bare)
    with pytest.raises(TaskError, match="judge column"):
        peer_rank(bare, own=False)
    strangers = Comparisons(
        NAMES, rows.left, rows.right, rows.outcome, judge=rows.judge, judges=("v", "w", "x", "y", "z")
    )
    with pytest.raises(TaskError, match="peers"):
        peer_rank(strangers)


def test_weights_that_still_move_are_said_to() -> None:
    found = peer_rank(reviews(items=5), rounds=1)
    assert not found.settled
    assert "still moving" in found.ranking.notes[0]
