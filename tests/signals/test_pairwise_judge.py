"""Comparison in two orders."""

from __future__ import annotations

import pytest

from whetstone.core.types import TIE, Generation, Verdict
from whetstone.signals.orders import combined
from whetstone.signals.pairwise_judge import pairwise_judge


def judge(toy, *, bias: float = 0.0, right: float = 0.0, letters: bool = True):
    """Says A with probability 0.5 + bias, moved by `right` towards the right answer."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "critique":
            return Generation(f"On {fields['answer']}. Verdict: Y")
        good = [fields[side].endswith(f" {fields['question']}") for side in ("first", "second")]
        p = 0.5 + bias + right * (good[0] - good[1])
        choice = "A" if p >= 0.5 else "B"
        return toy.letter(f"Verdict: {choice}", A=p, B=1 - p) if letters else Generation(f"Verdict: {choice}")

    return model


def ask(toy, model, first="the answer is 1", second="the answer is 2", **options):
    return toy.run(pairwise_judge(toy.task, toy.question(1), *toy.candidates(first, second), **options), model)


def test_finds_the_better_answer_behind_a_position_bias(toy) -> None:
    """The bias alone decides each order; the average of both orders sees through it."""
    biased = judge(toy, bias=0.3, right=0.1)
    verdict = ask(toy, biased, combine="average")
    assert [order.choice for order in verdict.orders] == ["c0", "c1"], "always the answer shown first"
    assert verdict.choice == "c0"
    assert verdict.probs == pytest.approx({"c0": 0.6, "c1": 0.4, TIE: 0})
    assert ask(toy, biased, "the answer is 2", "the answer is 1", combine="average").choice == "c1"
    assert ask(toy, biased).choice == TIE, "the orders disagree, which is a tie"
    assert ask(toy, judge(toy, bias=0.3), combine="average").choice == TIE, "nothing planted, nothing found"


def test_agreeing_orders_choose(toy) -> None:
    verdict = ask(toy, judge(toy, right=0.4, letters=False))
    assert (verdict.choice, verdict.probs, verdict.shown) == ("c0", None, ("c0", "c1"))
    assert [order.shown for order in verdict.orders] == [("c0", "c1"), ("c1", "c0")]


def test_shows_critiques_to_the_judge(toy) -> None:
    flow = pairwise_judge(toy.task, toy.question(1), *toy.candidates("x", "y"), critiques=True)
    assert [(toy.asked(r)[0], r.role) for r in next(flow)] == [("critique", "critic")] * 2
    batch = flow.send([Generation("x is fine. Y"), Generation("y is not. N")])
    fields = [toy.asked(request)[1] for request in batch]
    assert [f["first_critique"] for f in fields] == ["x is fine. Y", "y is not. N"]
    assert [(toy.asked(r)[0], r.role) for r in batch] == [("compare_critiqued", "judge")] * 2


def test_equal_texts_tie_unasked(toy) -> None:
    verdict = toy.run(pairwise_judge(toy.task, toy.question(1), *toy.candidates("x", "x")))
    assert (verdict.choice, verdict.reason) == (TIE, "equal texts")


def test_an_unreadable_order_leaves_no_choice(toy) -> None:
    replies = iter(["Verdict: A", "both are nice"])
    verdict = ask(toy, lambda request: Generation(next(replies)))
    assert (verdict.choice, verdict.reason) == (None, "unreadable reply in 1 of 2 orders")
    assert verdict.orders[1].raw == "both are nice"


def test_equally_good_twice_is_a_tie() -> None:
    orders = Verdict(("x", "y"), TIE), Verdict(("y", "x"), TIE)
    assert combined(*orders, "agree").choice == combined(*orders, "average").choice == TIE
