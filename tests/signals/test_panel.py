"""Panels."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.core.types import TIE, Verdict
from whetstone.signals.panel import panel, voted


def models(toy, *, bad: tuple[str, ...]):
    """Judges by role; a bad one always prefers the wrong answer."""

    def model(request):
        name, fields = toy.asked(request)
        assert name == "compare"
        side = "A" if fields["first"] == "right" else "B"
        return toy.said("Verdict: " + (side if request.role not in bad else "AB"[side == "A"]))

    return model


def ask(toy, model, **options):
    judges = ("pairwise_judge",) * 3
    flow = panel(toy.task, toy.question(1), *toy.candidates("right", "wrong"), judges=judges, **options)
    return toy.run(flow, model)


def test_a_majority_outvotes_the_planted_bad_judge(toy) -> None:
    roles = ("judge1", "judge2", "judge3")
    verdict = ask(toy, models(toy, bad=("judge2",)), roles=roles)
    assert (verdict.choice, [member.choice for member in verdict.orders]) == ("c0", ["c0", "c1", "c0"])
    assert verdict.probs == pytest.approx({"c0": 2 / 3, "c1": 1 / 3, TIE: 0})
    assert ask(toy, models(toy, bad=("judge1", "judge3")), roles=roles).choice == "c1"
    assert ask(toy, models(toy, bad=())).choice == "c0", "without roles all members are one model"


def test_averages_probabilities_and_leaves_out_the_silent() -> None:
    shown = ("x", "y")
    members = [
        Verdict(shown, "x", {"x": 0.55, "y": 0.45}),
        Verdict(shown, "y", {"x": 0.1, "y": 0.9}),
        Verdict(shown, None, reason="unreadable reply"),
    ]
    assert voted(shown, members, "majority").choice == TIE
    assert voted(shown, members, "average").choice == "y"
    assert voted(shown, members, "average").reason == "1 of 3 judges gave no choice"
    assert voted(shown, members[2:], "majority").reason == "unreadable reply"


def test_roles_are_one_a_member(toy) -> None:
    with pytest.raises(ConfigError, match="3 judges need as many roles"):
        next(panel(toy.task, toy.question(1), *toy.candidates("x", "y"), roles=("a",)))
