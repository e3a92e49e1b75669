"""Debates."""

from __future__ import annotations

from whetstone.core.types import TIE
from whetstone.signals.debate import debate


def model(toy, *, evidence: bool = True):
    """The side of the right answer has evidence; the judge goes by evidence, and by position without any."""

    def answer(request):
        name, fields = toy.asked(request)
        if name == "speak":
            own = fields["first" if fields["side"] == "A" else "second"]
            return toy.said("Here is the sum, checked." if own == "right" and evidence else "Trust me!")
        for side in "AB":
            if f"For answer {side}: Here is the sum" in fields["transcript"]:
                return toy.said(f"Verdict: {side}")
        return toy.said("Verdict: A")

    return answer


def ask(toy, answer, texts=("right", "wrong"), **options):
    return toy.run(debate(toy.task, toy.question(1), *toy.candidates(*texts), **options), answer)


def test_the_side_with_the_evidence_wins(toy) -> None:
    assert ask(toy, model(toy)).choice == "c0"
    assert ask(toy, model(toy), ("wrong", "right")).choice == "c1"
    assert ask(toy, model(toy, evidence=False)).choice == TIE, "nothing planted, nothing found"
    assert ask(toy, model(toy), rounds=0).choice == TIE, "without speeches there is no evidence"


def test_speakers_hear_each_other_in_the_next_round(toy) -> None:
    flow = debate(toy.task, toy.question(1), *toy.candidates("x", "y"), roles=("pro", "contra"))
    batch = next(flow)
    assert [r.role for r in batch] == ["pro", "contra"] * 2
    assert all("Nobody" in toy.asked(r)[1]["transcript"] for r in batch)
    batch = flow.send([toy.said(f"speech {i}") for i in range(4)])
    assert toy.asked(batch[1])[1]["transcript"] == "For answer A: speech 0\n\nFor answer B: speech 1"
