"""Evidence first, several times, in both orders."""

from __future__ import annotations

from math import log

import pytest

from whetstone.audits.position import position_bias
from whetstone.core.types import TIE, Verdict
from whetstone.signals.balanced_judge import balanced_judge, position_entropy, read_scores


def judge(toy, *, bias: float, noise: float = 0.0):
    """Gives the right answer 7 and others 6, the answer shown first `bias` more, each with some noise."""

    def model(request):
        name, fields = toy.asked(request)
        assert name == "score_pair"
        luck = toy.luck(request)
        a, b = (7 if fields[side] == fields["question"] else 6 for side in ("first", "second"))
        a, b = a + bias + noise * luck.uniform(-1, 1), b + noise * luck.uniform(-1, 1)
        return toy.said(f"Evidence.\nScore of A: {a:.2f}\nScore of B: {b:.2f}")

    return model


def verdicts(toy, model, texts=lambda i: ("wrong", str(i))):
    flows = {str(i): balanced_judge(toy.task, toy.question(i), *toy.candidates(*texts(i))) for i in range(60)}
    return list(toy.every(flows, model).results.values())


def test_restores_the_planted_truth_behind_a_position_bias(toy) -> None:
    found = verdicts(toy, judge(toy, bias=1.5))
    assert all(order.choice == order.shown[0] for verdict in found for order in verdict.orders), "biased in each order"
    assert [verdict.choice for verdict in found] == ["c1"] * 60
    conflict = {f.name: f for f in position_bias(found, [str(i) for i in range(60)])}["order_consistency"]
    assert conflict.estimate == 0
    assert all(position_entropy(verdict) == pytest.approx(log(2)) for verdict in found)
    equal = verdicts(toy, judge(toy, bias=1.5), texts=lambda i: ("wrong", "wrong too"))
    assert {verdict.choice for verdict in equal} == {TIE}, "nothing planted, nothing found"


def test_more_samples_see_through_noise(toy) -> None:
    found = verdicts(toy, judge(toy, bias=0.5, noise=2.0))
    assert sum(verdict.choice == "c1" for verdict in found) > 42


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("Score of A: 7\nScore of B: 8.5", (7, 8.5)),
        ("**Score of A:** 7/10\n**Score of B:** 6/10", (7, 6)),
        ("Score of A: 3 ... no\nScore of A: 4\nScore of B: 5", (4, 5)),
        ("Score of A: 7", None),
        ("Score of A: 0\nScore of B: 11", None),
        ("fine", None),
    ],
)
def test_reads_both_scores_or_nothing(text: str, scores) -> None:
    assert read_scores(text) == scores


def test_one_order_without_a_readable_reply_leaves_no_choice(toy) -> None:
    def model(request):
        first = toy.asked(request)[1]["first"]
        return toy.said("Score of A: 5\nScore of B: 4" if first == "x" else "hm")

    verdict = toy.run(balanced_judge(toy.task, toy.question(1), *toy.candidates("x", "y")), model)
    assert (verdict.choice, verdict.reason) == (None, "no readable reply in one order")
    assert len(verdict.orders) == 6


def test_entropy_of_the_outcomes() -> None:
    orders = tuple(Verdict(("x", "y"), choice) for choice in ("x", "x", "y", TIE, None))
    expected = -(0.5 * log(0.5) + 2 * 0.25 * log(0.25))
    assert position_entropy(Verdict(("x", "y"), "x", orders=orders)) == pytest.approx(expected)
    assert position_entropy(Verdict(("x", "y"), None)) is None
