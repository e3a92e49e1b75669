"""Two reviewers."""

from __future__ import annotations

import pytest

from whetstone.core.types import TIE
from whetstone.signals.peer_discussion import peer_discussion


def reviewers(toy, *, stubborn: bool = False, informed: str = "peer"):
    """One reviewer knows the right answer and says why; the other takes the wrong one until it hears the reason."""

    def model(request):
        fields = toy.asked(request)[1]
        side = "A" if fields["first"] == "right" else "B"
        other = "B" if side == "A" else "A"
        heard = "because I computed it" in fields.get("transcript", "")
        if request.role == informed:
            return toy.said(f"Answer {side} is right because I computed it.\nVerdict: {side}")
        return toy.said(f"I see.\nVerdict: {side if heard and not stubborn else other}")

    return model


def ask(toy, model, **options):
    return toy.run(peer_discussion(toy.task, toy.question(1), *toy.candidates("right", "wrong"), **options), model)


def test_the_reviewer_with_the_evidence_convinces_the_other(toy) -> None:
    for informed in ("judge", "peer"):
        verdict = ask(toy, reviewers(toy, informed=informed))
        assert verdict.choice == "c0"
        for order in verdict.orders:
            before, after = order.orders[:2], order.orders[2:]
            assert {view.choice for view in before} == {"c0", "c1"}
            assert {view.choice for view in after} == {"c0"}
            assert "Reviewer 2: " in order.raw
    assert ask(toy, reviewers(toy), turns=0).choice == TIE, "without discussion they do not agree"
    assert ask(toy, reviewers(toy, stubborn=True)).choice == TIE


def test_turns_alternate_and_stop(toy) -> None:
    flow = peer_discussion(toy.task, toy.question(1), *toy.candidates("x", "y"), turns=3)
    batch = next(flow)
    assert [r.role for r in batch] == ["judge", "peer"] * 2
    spoken = []
    replies = [toy.said("Verdict: A"), toy.said("Verdict: B")] * 2
    for _ in range(3):
        batch = flow.send(replies)
        spoken.append([(r.role, toy.asked(r)[1]["me"]) for r in batch])
        replies = [toy.said("Verdict: A" if r.role == "judge" else "Verdict: B") for r in batch]
    assert spoken == [[("peer", "2")] * 2, [("judge", "1")] * 2, [("peer", "2")] * 2]
    with pytest.raises(StopIteration) as stop:
        flow.send(replies)
    assert stop.value.value.choice == TIE
    assert [order.reason for order in stop.value.value.orders] == ["the reviewers disagree"] * 2


def test_agreement_is_not_discussed_and_a_mumble_leaves_no_choice(toy) -> None:
    agreed = ask(toy, lambda request: toy.said("Verdict: E"))
    assert (agreed.choice, agreed.orders[0].raw) == (TIE, "Reviewer 1: Verdict: E\n\nReviewer 2: Verdict: E")
    assert ask(toy, lambda request: toy.said("hm")).reason == "unreadable reply in 2 of 2 orders"
