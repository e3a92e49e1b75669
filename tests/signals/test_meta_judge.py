"""Judging judgements."""

from __future__ import annotations

from whetstone.core.types import TIE
from whetstone.signals.meta_judge import meta_judge
from whetstone.signals.pairwise_judge import pairwise_judge


def model(toy, *, founded: float = 0.4):
    """Most judgements take the longer answer; some check, and say so. The meta-judge follows the checked one."""

    def answer(request):
        name, fields = toy.asked(request)
        sides = {"A": fields["first"], "B": fields["second"]}
        if name == "compare":
            if request.sampling.temperature and toy.luck(request).random() < founded:
                side = next(side for side, text in sides.items() if text == "right")
                return toy.said(f"I checked the sum.\nVerdict: {side}")
            return toy.said(f"It says more.\nVerdict: {max(sides, key=lambda side: len(sides[side]))}")
        assert request.role == "meta_judge"
        checked = [part for part in fields["judgements"].split("[Judgement ") if "I checked" in part]
        return toy.said(f"Verdict: {checked[0].strip()[-1] if checked else 'E'}")

    return answer


def choices(toy, method, answer, **options):
    flows = {
        str(i): method(toy.task, toy.question(i), *toy.candidates("right", "wrong, at length"), **options)
        for i in range(20)
    }
    return [verdict.choice for verdict in toy.every(flows, answer).results.values()]


def test_sees_through_a_majority_of_unfounded_judgements(toy) -> None:
    assert choices(toy, pairwise_judge, model(toy)) == ["c1"] * 20
    assert choices(toy, meta_judge, model(toy), judgements=9).count("c0") >= 18
    assert set(choices(toy, meta_judge, model(toy, founded=0))) == {TIE}, "nothing founded, nothing decided"
