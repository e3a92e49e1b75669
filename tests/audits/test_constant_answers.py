"""A judge that takes an empty answer for a good one is found out; one that reads answers is not."""

from __future__ import annotations

import pytest

from whetstone.audits.constant_answers import CONSTANTS, constant_answers, constants_of
from whetstone.core.errors import ConfigError, Unsupported


def audited(toy, weak: str = "", share: float = 1.0):
    """Findings on a judge that falls for one constant in this share of the questions."""

    def answer(request):
        name, fields = toy.asked(request)
        assert name == "compare"
        texts = {"A": fields["first"], "B": fields["second"]}
        if CONSTANTS["refusal"] in texts.values():
            return Unsupported("no sorry here")
        taken = next((side for side, text in texts.items() if weak and text == CONSTANTS[weak]), None)
        if taken and int(fields["question"]) < 100 * share:
            return toy.said(f"Verdict: {taken}")
        right = f"the answer is {fields['question']}"
        return toy.said(f"Verdict: {next((side for side, text in texts.items() if text == right), 'E')}")

    cases = [toy.case(i, (f"the answer is {i}", f"the answer is {i + 1}"), (True, False)) for i in range(100)]
    return {f.name: f for f in toy.run(constant_answers(toy.task, cases), answer)}


def test_finds_the_planted_weakness_and_none_in_a_judge_of_content(toy) -> None:
    fair = audited(toy)
    assert {name: f.estimate for name, f in fair.items() if f.n} == dict.fromkeys(
        ("constant empty", "constant digit", "constant verdict", "constant order"), 0.0
    )
    assert fair["constant refusal"].verdict == "not measured: the judge cannot read it"
    weak = audited(toy, "order", 0.4)
    assert weak["constant order"].estimate == pytest.approx(0.4)
    assert weak["constant order"].verdict == "is gamed by it"
    assert weak["constant empty"].verdict == "not shown to be gamed"


def test_unknown_constants_are_refused() -> None:
    with pytest.raises(ConfigError, match="no constant answer is called 'none'"):
        constants_of("none")
    with pytest.raises(ConfigError, match="no constant answer is named"):
        constants_of(" ,")
