"""Own answer first, then criticism, then votes."""

from __future__ import annotations

from math import log

import pytest

from whetstone.audits.position import position_bias
from whetstone.core.types import TIE, Generation
from whetstone.signals.pairwise_judge import pairwise_judge
from whetstone.signals.self_reference_judge import self_reference_judge, strength_of


def judge(toy, *, own=lambda question: question, drawn: float = 0.8):
    """Takes the first position with this probability, unless a criticism says what is wrong."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "solve":
            return toy.said(own(fields["question"]))
        if name == "criticise":
            return toy.said("matches mine" if fields["reference"] in fields["answer"] else "differs from mine")
        if name == "compare_criticised" and fields["first_critique"] != fields["second_critique"]:
            p = 0.9 if fields["first_critique"] == "matches mine" else 0.2
        else:
            p = drawn
        return toy.letter(f"Verdict: {'A' if p >= 0.5 else 'B'}", A=p, B=1 - p)

    return model


def verdicts(toy, method, model):
    texts = (lambda i: (f"it is {i}", "it is wrong"), lambda i: ("it is wrong", f"it is {i}"))
    flows = {str(i): method(toy.task, toy.question(i), *toy.candidates(*texts[i % 2](i))) for i in range(40)}
    return list(toy.every(flows, model).results.values())


def test_agrees_more_and_leans_less_than_direct_judging(toy) -> None:
    right = [f"c{i % 2}" for i in range(40)]
    shares = {}
    for method, agreed in ((self_reference_judge, 40), (pairwise_judge, 0)):
        found = verdicts(toy, method, judge(toy))
        assert sum(v.choice == name for v, name in zip(found, right, strict=True)) == agreed
        shares[method] = position_bias(found, [str(i) for i in range(40)])[0].estimate
    assert shares[self_reference_judge] == pytest.approx(0.5)
    assert shares[pairwise_judge] == 1
    blind = verdicts(toy, self_reference_judge, judge(toy, own=lambda question: "nothing"))
    assert {v.choice for v in blind} == {TIE}, "an own answer that tells nothing finds nothing"
    assert {v.strength for v in blind} == {0.0}


def test_strength_is_the_perplexity_of_the_choice(toy) -> None:
    (verdict, *_) = verdicts(toy, self_reference_judge, judge(toy))
    assert verdict.probs == pytest.approx({"c0": 0.85, "c1": 0.15, TIE: 0})
    entropy = -(0.85 * log(0.85) + 0.15 * log(0.15))
    assert verdict.strength == pytest.approx(1 - entropy / log(2))
    assert [strength_of(1, 0), strength_of(0.5, 0.5), strength_of(0, 0)] == pytest.approx([1, 0, 0])
    assert strength_of(0.2, 0.05) == pytest.approx(strength_of(0.8, 0.2)), "ties are not part of the choice"


def test_every_sample_votes_and_unreadable_ones_do_not(toy) -> None:
    def model(request):
        if toy.asked(request)[0] != "compare_criticised":
            return Generation("x")
        return Generation("Verdict: E" if toy.luck(request).random() < 0.5 else "hm")

    flow = self_reference_judge(toy.task, toy.question(1), *toy.candidates("x", "y"), samples=8, temperature=1.0)
    verdict = toy.run(flow, model)
    assert (verdict.choice, len(verdict.orders)) == (TIE, 16)
    assert {order.choice for order in verdict.orders} == {TIE, None}
    silent = toy.run(
        self_reference_judge(toy.task, toy.question(1), *toy.candidates("x", "y")), lambda r: toy.said("hm")
    )
    assert (silent.choice, silent.reason) == (None, "no readable reply in one order")
