"""Majority vote."""

from __future__ import annotations

from math import comb

import pytest

from whetstone.strategies.self_consistency import self_consistency
from whetstone.strategies.voting import tally


def solver(toy, p: float):
    """Right with probability p, else one fixed wrong answer."""

    def model(request):
        number = toy.asked(request)[1]["question"]
        return toy.said(f"the answer is {number if toy.luck(request).random() < p else 999}")

    return model


def test_wins_what_the_binomial_law_says(toy) -> None:
    """With one wrong answer, a vote of 9 is right when at least 5 are: accuracy is the binomial tail."""
    for p in (0.7, 0.5, 0.3):
        flows = {str(i): self_consistency(toy.task, toy.question(i), n=9) for i in range(400)}
        outcomes = toy.every(flows, solver(toy, p)).results
        accuracy = sum(outcome.answer == key for key, outcome in outcomes.items()) / 400
        law = sum(comb(9, k) * p**k * (1 - p) ** (9 - k) for k in range(5, 10))
        assert accuracy == pytest.approx(law, abs=4 * (law * (1 - law) / 400) ** 0.5)


def test_asks_by_next_and_votes_by_send(toy) -> None:
    flow = self_consistency(toy.task, toy.question(1), n=4)
    batch = next(flow)
    assert len(batch) == 4
    texts = ["the answer is 2", "hm", "the answer is 1", "so the answer is 1"]
    with pytest.raises(StopIteration) as stop:
        flow.send([toy.said(text) for text in texts])
    outcome = stop.value.value
    assert (outcome.answer, outcome.text) == ("1", "the answer is 1")
    assert (outcome.confidence.value, outcome.confidence.n) == (0.5, 4)
    assert outcome.confidence.provenance["unreadable"] == 1
    assert [c.id for c in outcome.trail] == ["0", "1", "2", "3"]


def test_nothing_readable_abstains(toy) -> None:
    outcome = toy.run(self_consistency(toy.task, toy.question(1), n=3), lambda request: toy.said("hm"))
    assert (outcome.answer, outcome.confidence.abstained) == (None, "no candidate has a readable answer")
    assert len(outcome.trail) == 3


def test_equal_votes_go_to_the_first_seen() -> None:
    assert tally(["b", "a", None, "a", "b"]) == [("b", 2), ("a", 2)]
    assert tally(["b", "a"], [1.0, 2.5]) == [("a", 2.5), ("b", 1.0)]
