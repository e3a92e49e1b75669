"""Measures from comments."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.commented import scored
from whetstone.audits.induced_metrics import induced_metrics
from whetstone.strategies.best_of_n import best_of_n

KINDS = ("polite", "quick", "careful")


def cases_of(toy, n):
    """A trajectory does each kind of thing well (`polite+`) or badly (`polite-`); comments name two of the three."""
    out = []
    for i in range(n):
        rng = Random(i)
        signs = {kind: rng.choice("+-") for kind in KINDS}
        text = f"game {i}: " + " ".join(kind + sign for kind, sign in signs.items())
        comments = [
            f"I {'liked' if signs[kind] == '+' else 'disliked'} how {kind} it was" for kind in rng.sample(KINDS, 2)
        ]
        case = toy.case(i, (text,), (None,))
        out.append(replace(case, example=replace(case.example, meta={"comments": comments})))
    return out


def judge(toy, *, metrics=KINDS):
    def model(request):
        name, fields = toy.asked(request)
        if name == "ground":
            words = fields["comment"].split()
            return toy.said(f"{'+' if words[1] == 'liked' else '-'} being {words[3]}")
        if name == "cluster":
            return toy.said("\n".join(f"{kind.title()}: is it {kind}" for kind in metrics[: int(fields["most"])]))
        if name == "trait":
            kind = fields["metric"].split()[-1]
            return toy.said(
                f"Score: {1 if kind + '+' in fields['answer'] else -1 if kind + '-' in fields['answer'] else 0}"
            )
        kind = fields["aspect"].split()[-1]
        number = next((line.split(".")[0] for line in fields["metrics"].splitlines() if line.endswith(kind)), "0")
        return toy.said(f"Score: {number}")

    return model


def audit(toy, model):
    return {f.name: f for f in toy.run(induced_metrics(toy.task, cases_of(toy, 40), sizes=(1, 3, 5)), model)}


def test_recovers_the_planted_behaviours(toy) -> None:
    found = audit(toy, judge(toy))
    assert found["coverage/3"].estimate == 1
    assert found["redundancy/3"].estimate == pytest.approx(1 / 3), "comments leave one of three behaviours out"
    assert found["coverage/1"].estimate < 0.5
    best = found["best_size"]
    assert best.estimate == 3
    assert [metric.split(":")[0].lower() for metric in best.detail["metrics"]] == list(KINDS)


def test_measures_that_are_about_nothing_are_seen_as_such(toy) -> None:
    made_up = audit(toy, judge(toy, metrics=("blue", "round", "loud")))
    assert made_up["coverage/3"].estimate == 0
    assert made_up["redundancy/3"].verdict.startswith("not measured"), "no trajectory shows any of them"
    more = audit(toy, judge(toy, metrics=(*KINDS, "polite")))
    assert more["coverage/5"].estimate == 1


def test_induced_measures_select_what_people_like(toy) -> None:
    """The measures serve as a checklist, by which best of n plays better than one sample."""
    metrics = audit(toy, judge(toy))["best_size"].detail["metrics"]
    items = [f"By the measure {metric}?" for metric in metrics]

    def player(request):
        name, fields = toy.asked(request)
        if name == "check":
            kind = fields["item"].rstrip("?").split()[-1]
            return toy.said(f"Verdict: {'Y' if kind + '+' in fields['answer'] else 'N'}")
        luck = toy.luck(request)
        return toy.said(" ".join(kind + luck.choice("+-") for kind in KINDS) + " the answer is 1")

    example = replace(toy.question(1), meta={"checklist": items})
    flows = {str(i): best_of_n(toy.task, example, n=8, signal="checklist") for i in range(10)}
    chosen = [outcome.text.count("+") for outcome in toy.every(flows, player).results.values()]
    assert sum(chosen) / len(chosen) > 2.4, "against 1.5 by chance"


def test_shares_by_hand() -> None:
    arms = [(2, ["A: a", "B: b"], [([True, False], [True]), ([True], [False, False])])]
    found = {f.name: f.estimate for f in scored(arms, ["x", "y"])}
    assert found["coverage/2"] == pytest.approx(2 / 3)
    assert found["redundancy/2"] == pytest.approx(2 / 3)
    assert found["best_size"] == 2
