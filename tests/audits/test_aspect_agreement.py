"""Agreement by aspect."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.aspect_agreement import aspect_agreement, labels_of, shared
from whetstone.core.errors import TaskError
from whetstone.core.types import TIE

ASPECTS = {"style": {"brevity": "Is it short?", "warmth": "Is it kind?"}, "facts": "Is it true?"}


def judge(toy, *, sees):
    """Sees the label of an aspect in the answer's text, in the aspects that it sees; else it draws."""

    def model(request):
        fields = toy.asked(request)[1]
        aspect = fields["aspect"].rpartition(", ")[2]
        good = [f"good {aspect}" in fields[side] for side in ("first", "second")]
        if aspect not in sees:
            texts = sorted((fields["first"], fields["second"]))
            winner = Random(f"{aspect} of {texts}").choice(texts)
            return toy.said(f"Verdict: {'A' if fields['first'] == winner else 'B'}")
        return toy.said(f"Verdict: {'A' if good[0] else 'B'}")

    return model


def cases_of(toy, n):
    out = []
    for i in range(n):
        rng = Random(i)
        labels = {path: rng.choice(("first", "second")) for path in ("style/brevity", "style/warmth", "facts")}
        texts = [
            f"{i} {side} " + " ".join(f"good {path.rpartition('/')[2]}" for path, won in labels.items() if won == side)
            for side in ("first", "second")
        ]
        case = toy.case(i, tuple(texts), (None, None))
        meta = {"aspects": ASPECTS, "aspect_labels": labels}
        out.append(replace(case, example=replace(case.example, meta=meta)))
    return out


def test_finds_the_aspects_in_which_the_judge_is_blind(toy) -> None:
    flow = aspect_agreement(toy.task, cases_of(toy, 100))
    found = {f.name: f for f in toy.run(flow, judge(toy, sees=("brevity", "facts")))}
    assert found["agreement/style/brevity"].estimate == found["agreement/facts"].estimate == 1
    assert found["agreement/facts"].verdict == "agrees with people"
    blind = found["agreement/style/warmth"]
    assert blind.interval[0] < 0.5 < blind.interval[1]
    assert "coin" in blind.verdict
    assert found["coverage"].estimate == 1


def test_right_and_wrong_label_correctness(toy) -> None:
    cases = [toy.case(i, (f"the answer is {i}", "no"), (True, False)) for i in range(8)]
    found = {f.name: f.estimate for f in toy.run(aspect_agreement(toy.task, cases), lambda r: toy.said("Verdict: E"))}
    assert found == {"agreement/correctness": 0.5, "coverage": 1}


def test_ties_count_half() -> None:
    assert [shared("x", "x"), shared(TIE, "x"), shared("x", TIE), shared(TIE, TIE), shared("x", "y")] == [
        1,
        0.5,
        0.5,
        1,
        0,
    ]
    assert shared(None, "x") is shared("x", "") is None


@pytest.mark.parametrize("label", ["A", "left", None, ["first"]])
def test_a_label_that_is_none_is_refused(toy, label) -> None:
    (case,) = cases_of(toy, 1)
    meta = {**case.example.meta, "aspect_labels": {"facts": "tie", "style/warmth": label}}
    told = re.escape(f"q0: style/warmth: {label!r} is no label of an aspect; there are first, second, tie")
    with pytest.raises(TaskError, match=told):
        labels_of(replace(case, example=replace(case.example, meta=meta)))
