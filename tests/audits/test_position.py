"""Position bias."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.position import position, position_bias
from whetstone.core.types import TIE, Verdict


def verdicts(rng: Random, n: int, *, bias: float = 0.0, skill: float = 0.0) -> list[Verdict]:
    """A judge whose every order is drawn anew: A with probability 1/2 + bias, moved towards the better answer x."""
    found = []
    for _ in range(n):
        orders = []
        for shown in (("x", "y"), ("y", "x")):
            p = 0.5 + bias + (skill if shown[0] == "x" else -skill)
            orders.append(Verdict(shown, shown[0] if rng.random() < p else shown[1]))
        found.append(Verdict(("x", "y"), TIE, orders=tuple(orders)))
    return found


def audit(rng: Random, n: int, **judge: float):
    return {f.name: f for f in position_bias(verdicts(rng, n, **judge), [str(i) for i in range(n)])}


def test_finds_the_planted_bias_and_none_in_fair_judges() -> None:
    """A bias of .15 is found at its size; of 200 fair judges about 5 % are accused, whatever their skill."""
    for bias, verdict in ((0.15, "prefers the answer shown first"), (-0.15, "prefers the answer shown second")):
        finding = audit(Random(1), 300, bias=bias)["first_position"]
        assert finding.estimate == pytest.approx(0.5 + bias, abs=0.05)
        assert finding.interval[0] < 0.5 + bias < finding.interval[1]
        assert (finding.verdict, finding.null) == (verdict, 0.5)
    for skill in (0.0, 0.4):
        accused = sum(audit(Random(seed), 60, skill=skill)["first_position"].p < 0.05 for seed in range(200))
        assert accused <= 19, "99.9 % quantile of a binomial of 200 at .05 is 20"
        assert accused >= 2


def test_a_judge_that_always_takes_the_first_is_never_consistent() -> None:
    found = audit(Random(1), 40, bias=0.5)
    assert found["first_position"].estimate == 1
    assert found["order_consistency"].estimate == 0
    assert found["unreadable"].estimate == 0


def test_asks_in_both_orders_and_counts_the_unreadable(toy) -> None:
    def model(request):
        return toy.said("well" if toy.asked(request)[1]["question"] == "0" else "Verdict: A")

    cases = [toy.case(i, ("x", "y"), (True, False)) for i in range(10)]
    found = {f.name: f for f in toy.run(position(toy.task, cases), model)}
    assert (found["first_position"].estimate, found["first_position"].n) == (1, 9)
    assert found["unreadable"].estimate == pytest.approx(0.1)
    assert found["first_position"].detail["abstained"] == 1


@pytest.mark.parametrize(
    ("cases", "reply", "why"),
    [([], "A", "no pair of candidates fits"), ([("x", "y")], "well", "unreadable reply in 2 of 2 orders")],
)
def test_says_why_nothing_was_measured(toy, cases, reply, why) -> None:
    made = [toy.case(0, texts, (True, False)) for texts in cases]
    (finding,) = toy.run(position(toy.task, made), lambda request: toy.said(reply))
    assert (finding.estimate, finding.n) == (None, 0)
    assert why in finding.verdict
