"""Comparison with a crowd."""

from __future__ import annotations

from whetstone.core.types import TIE, Generation, Verdict
from whetstone.signals.crowd_judge import crowd_judge, informative, without_verdict
from whetstone.signals.pairwise_judge import pairwise_judge


def judge(toy, *, sees: bool = True):
    """Compares lengths, which tells nothing here; a crowd answer shows it which answer lacks the unit."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "solve":
            return toy.said("a third answer, with cm")
        first, second = fields["first"], fields["second"]
        if name == "compare":
            if sees and "third" in second and "cm" not in first:
                return toy.said("Answer A lacks the unit that answer B has.\nVerdict: B")
            return toy.said("They look alike.\nVerdict: " + ("B" if "third" not in second else "A"))
        lacks = ["lacks the unit" in fields[note] for note in ("first_critique", "second_critique")]
        return toy.said(f"Verdict: {'A' if lacks < lacks[::-1] else 'B' if lacks > lacks[::-1] else 'E'}")

    return model


def verdicts(toy, method, model, texts=("17 cm", "about 17")):
    flows = {str(i): method(toy.task, toy.question(i), *toy.candidates(*texts)) for i in range(10)}
    return [verdict.choice for verdict in toy.every(flows, model).results.values()]


def test_sees_the_planted_defect_that_only_a_comparison_shows(toy) -> None:
    assert verdicts(toy, crowd_judge, judge(toy)) == ["c0"] * 10
    assert verdicts(toy, crowd_judge, judge(toy), ("about 17", "17 cm")) == ["c1"] * 10
    assert verdicts(toy, pairwise_judge, judge(toy)) == [TIE] * 10, "the plain judge goes by position"
    assert verdicts(toy, crowd_judge, judge(toy, sees=False)) == [TIE] * 10, "nothing planted, nothing found"


def test_asks_the_crowd_once_and_shows_the_telling_judgements(toy) -> None:
    flow = crowd_judge(toy.task, toy.question(1), *toy.candidates("x", "y"), crowd=3, keep=1)
    assert [r.sampling.temperature for r in next(flow)] == [1.0] * 3
    batch = flow.send([Generation("x"), Generation("p"), Generation("p")])
    assert [(toy.asked(r)[1]["first"], toy.asked(r)[1]["second"]) for r in batch] == [("x", "p"), ("y", "p")]
    batch = flow.send([Generation("x is short.\nVerdict: B"), Generation("y is fine.\nVerdict: A")])
    assert toy.asked(batch[0])[1]["first_critique"] == "x is short."
    assert toy.asked(batch[1])[1]["first_critique"] == "y is fine."


def test_an_empty_crowd_leaves_the_plain_comparison(toy) -> None:
    flow = crowd_judge(toy.task, toy.question(1), *toy.candidates("x", "y"), crowd=1)
    next(flow)
    batch = flow.send([Generation("x")])
    assert [toy.asked(request)[1]["first_critique"] for request in batch] == ["", ""]


def test_lost_judgements_come_first_then_long_ones() -> None:
    shown = ("x", "crowd0")
    seen = [
        Verdict(shown, "x", raw="a long praise of x.\nVerdict: A"),
        Verdict(shown, "crowd0", raw="bad.\nVerdict: B"),
        Verdict(shown, None, raw="hm"),
        Verdict(shown, TIE, raw="a longer remark that is about both.\nVerdict: E"),
    ]
    assert informative(seen, "x", 2) == ["bad.", "a longer remark that is about both."]


def test_verdicts_are_cut_off() -> None:
    assert without_verdict("A is clear. So my verdict: A") == "A is clear."
    assert without_verdict("Verdict: B\nB is clear.") == "B is clear."
    assert without_verdict("no verdict") == "no verdict"
