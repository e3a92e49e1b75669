"""Corrections, span by span."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.audits.correction import correction, edits, span_scores

SLIPS = {"teh": "the", "goed": "went", "childs": "children", "recieve": "receive"}


def cases_of(toy, n):
    out = []
    for i in range(n):
        wrong = f"{i} we goed to teh park where childs recieve cake"
        right = " ".join(SLIPS.get(word, word) for word in wrong.split())
        case = toy.case(i, (wrong,), (None,))
        out.append(replace(case, example=replace(case.example, meta={"corrected": [right]})))
    return out


def corrector(toy, *, knows: float, meddles: float = 0.0):
    def model(request):
        luck = toy.luck(request)
        words = toy.asked(request)[1]["answer"].split()
        fixed = [SLIPS[w] if w in SLIPS and luck.random() < knows else w for w in words]
        return toy.said(" ".join(["you" if w == "we" and luck.random() < meddles else w for w in fixed]))

    return model


def audit(toy, model):
    return {f.name: f for f in toy.run(correction(toy.task, cases_of(toy, 100)), model)}


def test_finds_the_planted_share_of_corrections(toy) -> None:
    perfect = audit(toy, corrector(toy, knows=1))
    assert [perfect[name].estimate for name in ("precision", "recall", "f0.5")] == [1, 1, 1]
    half = audit(toy, corrector(toy, knows=0.5))
    assert half["precision"].estimate == 1
    assert half["recall"].interval[0] < 0.5 < half["recall"].interval[1]
    idle = audit(toy, corrector(toy, knows=0))
    assert (idle["recall"].estimate, idle["f0.5"].estimate, idle["precision"].estimate) == (0, 0, None)


def test_a_wrong_change_costs_more_than_a_missed_one() -> None:
    gold = [({(0, 1, ("a",)), (2, 3, ("b",))}, {(0, 1, ("a",)), (2, 3, ("b",)), (5, 6, ("c",))})]
    missed = {f.name: f.estimate for f in span_scores(gold, ["x"])}
    assert (missed["precision"], missed["recall"]) == (1, pytest.approx(2 / 3))
    assert missed["f0.5"] == pytest.approx(1.25 * 1 * (2 / 3) / (0.25 * 1 + 2 / 3))
    swapped = {f.name: f.estimate for f in span_scores([(theirs, ours) for ours, theirs in gold], ["x"])}
    assert swapped["f0.5"] < missed["f0.5"]


def test_edits_are_spans_of_words() -> None:
    assert edits("he go home", "he goes home now") == {(1, 2, ("goes",)), (3, 3, ("now",))}
    assert edits("a b c", "a x y") == {(1, 2, ("x",)), (2, 3, ("y",))}
    assert edits("same text", "same  text") == set()
