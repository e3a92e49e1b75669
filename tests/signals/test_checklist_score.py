"""Scores with a checklist as guide."""

from __future__ import annotations

from whetstone.signals.checklist_score import checklist_score


def judge(toy):
    def model(request):
        name, fields = toy.asked(request)
        if name == "checklist":
            return toy.said("1. Is it right?")
        assert fields["checklist"] == "- Is it right?"
        return toy.said(f"Seen. Score: {fields['answer']}")

    return model


def test_rescales_the_planted_scores(toy) -> None:
    texts = toy.candidates("1", "5", "10", "none", "11")
    signals = toy.run(checklist_score(toy.task, toy.question(1), texts), judge(toy))
    assert [s.value for s in signals] == [-8, 0, 10, None, None]
    assert signals[3].abstained == "unreadable reply"
