"""Soft self-consistency."""

from __future__ import annotations

from math import log

import pytest

from whetstone.core.types import Token
from whetstone.strategies.self_consistency import self_consistency
from whetstone.strategies.soft_self_consistency import SCORES, soft_self_consistency


def agent(toy, *, informed: bool = True):
    """Half of the time one of 1000 valid answers (below 1000), else the same invalid one; valid ones are surer."""

    def model(request):
        luck = toy.luck(request)
        valid = luck.random() < 0.5
        p = luck.uniform(0.7, 0.9) if valid and informed else luck.uniform(0.4, 0.6)
        return toy.said(f"the answer is {luck.randrange(1000) if valid else 5000}", p, p)

    return model


def validity(toy, strategy, model, **options) -> float:
    flows = {str(i): strategy(toy.task, toy.question(i), n=8, **options) for i in range(100)}
    return sum(int(outcome.answer) < 1000 for outcome in toy.every(flows, model).results.values()) / 100


def test_beats_the_vote_where_many_answers_are_valid(toy) -> None:
    assert validity(toy, self_consistency, agent(toy)) < 0.1
    for score in SCORES:
        assert validity(toy, soft_self_consistency, agent(toy), score=score) > 0.95
    assert validity(toy, soft_self_consistency, agent(toy, informed=False)) == pytest.approx(0.5, abs=0.2)


def test_scores_by_hand() -> None:
    tokens = [Token("a", log(0.9)), Token("b", log(0.4))]
    assert SCORES["mean"](tokens) == pytest.approx(0.65)
    assert SCORES["min"](tokens) == pytest.approx(0.4)
    assert SCORES["product"](tokens) == pytest.approx((0.9 * 0.4) ** 0.5)


def test_the_adaptive_rule_adds_minimum_probabilities(toy) -> None:
    """.3 + .4 < .8, + .2 reaches it: three drawn, and the highest mean wins."""
    replies = iter(
        [
            toy.said("the answer is 1", 0.3, 0.5),
            toy.said("the answer is 2", 0.4, 0.4),
            toy.said("the answer is 3", 0.2, 0.9),
        ]
    )
    outcome = toy.run(soft_self_consistency(toy.task, toy.question(1), enough=0.8), lambda request: next(replies))
    assert (outcome.answer, len(outcome.trail)) == ("3", 3)
    assert outcome.confidence.value == pytest.approx(0.55)
    assert outcome.confidence.provenance["stopped"] == "enough"


def test_abstains_without_probabilities(toy) -> None:
    outcome = toy.run(
        soft_self_consistency(toy.task, toy.question(1), n=2), lambda request: toy.said("the answer is 1")
    )
    assert outcome.confidence.abstained == "no readable answer with token probabilities"
