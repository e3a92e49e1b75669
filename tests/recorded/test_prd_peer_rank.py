"""Peer reviews of five models: published win rates and agreement with humans (Li et al., 2023)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whetstone.ranking._peers import vote, win_rates
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.peer_rank import peer_rank
from whetstone.stats.raters import fleiss_kappa

MODELS = ("gpt-4", "claude", "vicuna", "gpt-3.5", "bard")
RATES = {
    "gpt-4": (0.85625, 0.70859, 0.34844, 0.34219, 0.24453),
    "human": (0.821875, 0.689063, 0.389063, 0.314063, 0.285938),
}
AGREEMENT = {"gpt-4": (0.6425, 0.4063), "claude": (0.6069, 0.3194), "gpt-3.5": (0.6206, 0.3874)}


@pytest.fixture(scope="module")
def reviews(recorded: Callable[[str], Path]) -> Comparisons:
    with gzip.open(recorded("prd_peer_rank") / "reviews.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Comparisons.from_labels(
        [row["model_a"] for row in rows],
        [row["model_b"] for row in rows],
        [-int(row["score"]) for row in rows],
        names=MODELS,
        group=[int(row["question_id"]) for row in rows],
        judge=[row["reviewer"] for row in rows],
    )


def by(reviews: Comparisons, judge: str) -> Comparisons:
    """One reviewer's rows; of people, who were several for each pair, the majority."""
    assert reviews.judge is not None
    rows = reviews.take(reviews.judge == reviews.judges.index(judge))
    return vote(rows) if judge == "human" else rows


@pytest.mark.parametrize("judge", RATES)
def test_published_win_rates(reviews: Comparisons, judge: str) -> None:
    np.testing.assert_allclose(win_rates(by(reviews, judge)), RATES[judge], atol=6e-6)


@pytest.mark.parametrize("judge", AGREEMENT)
def test_published_agreement_with_people(reviews: Comparisons, judge: str) -> None:
    people, machine = by(reviews, "human"), by(reviews, judge)
    said: dict[tuple[int, int, int], int] = {}
    for rows, sign in ((people, 1), (people, -1)):
        assert rows.group is not None
        pairs = (rows.left, rows.right) if sign == 1 else (rows.right, rows.left)
        said.update(zip(zip(rows.group, *pairs, strict=True), sign * rows.outcome, strict=True))
    assert machine.group is not None
    items = zip(machine.group, machine.left, machine.right, strict=True)
    both = np.array([(said[item], word) for item, word in zip(items, machine.outcome, strict=True)])
    accuracy, kappa = AGREEMENT[judge]
    assert len(both) == 1600
    assert np.mean(both[:, 0] == both[:, 1]) == pytest.approx(accuracy, abs=6e-5)
    assert fleiss_kappa(both).value == pytest.approx(kappa, abs=6e-5)


@pytest.mark.parametrize("score", ["win_rate", "elo"])
def test_peer_weights_settle_and_agree_with_people_better_than_equal_ones(reviews: Comparisons, score: str) -> None:
    assert reviews.judge is not None
    human = reviews.judges.index("human")
    kept = reviews.take(reviews.judge != human)
    peers = Comparisons(
        MODELS,
        kept.left,
        kept.right,
        kept.outcome,
        group=kept.group,
        judge=np.array([MODELS.index(name) if name in MODELS else -1 for name in reviews.judges])[kept.judge],
        judges=MODELS,
    )
    found = peer_rank(peers, score=score, orders=4)
    assert found.settled
    assert MODELS[int(np.argmax(found.weights))] == "gpt-4"
    assert found.weights.min() == 0
    assert [MODELS[i] for i in found.ranking.order[:2]] == ["gpt-4", "claude"]
    if score == "win_rate":
        people = np.array(RATES["human"])
        assert np.abs(found.ranking.scores - people).mean() < np.abs(win_rates(peers) - people).mean()
        five = peer_rank(peers, rounds=5)
        np.testing.assert_allclose(five.ranking.scores, found.ranking.scores, atol=0.002)
