"""Adaptive-Consistency."""

from __future__ import annotations

import pytest
from scipy.stats import beta

from whetstone.strategies.adaptive_consistency import adaptive_consistency, majority_probability
from whetstone.strategies.self_consistency import self_consistency


def solver(toy, p: float):
    def model(request):
        luck, number = toy.luck(request), toy.asked(request)[1]["question"]
        return toy.said(f"the answer is {number if luck.random() < p else luck.randrange(900, 903)}")

    return model


def test_stops_by_the_rule_and_keeps_the_answer(toy) -> None:
    def outcomes(strategy, p, **options):
        flows = {str(i): strategy(toy.task, toy.question(i), **options) for i in range(150)}
        return toy.every(flows, solver(toy, p)).results

    for p, most in ((0.95, 5.5), (0.6, 20.0)):
        adaptive, full = outcomes(adaptive_consistency, p), outcomes(self_consistency, p, n=40)
        drawn = sum(len(outcome.trail) for outcome in adaptive.values()) / 150
        same = sum(adaptive[key].answer == full[key].answer for key in full) / 150
        assert 4 <= drawn < most
        assert same > 0.9
    hopeless = outcomes(adaptive_consistency, 0.25)
    assert sum(len(outcome.trail) for outcome in hopeless.values()) / 150 > 25


def test_four_equal_answers_stop_and_three_do_not() -> None:
    assert majority_probability(4, 0) == pytest.approx(0.96875)
    assert majority_probability(3, 0) == pytest.approx(0.9375)


@pytest.mark.parametrize(("first", "second"), [(1, 0), (5, 3), (9, 9), (20, 12)])
def test_the_exact_sum_is_the_beta_tail(first: int, second: int) -> None:
    assert majority_probability(first, second) == pytest.approx(beta.sf(0.5, first + 1, second + 1))


def test_the_reason_for_stopping_is_told_and_the_budget_kept(toy) -> None:
    flow = adaptive_consistency(toy.task, toy.question(1))
    outcome = toy.run(flow, solver(toy, 1.0))
    assert (len(outcome.trail), outcome.confidence.provenance["stopped"]) == (4, "threshold")
    short = toy.run(adaptive_consistency(toy.task, toy.question(1)), solver(toy, 1.0), budget=75)
    assert (len(short.trail), short.confidence.provenance["stopped"], short.answer) == (3, "budget", "1")
