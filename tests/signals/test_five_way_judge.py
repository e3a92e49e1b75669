"""Five degrees and the length rule."""

from __future__ import annotations

import pytest

from whetstone.core.types import TIE, Verdict
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.elo import elo
from whetstone.signals.five_way_judge import five_way_judge, reward, shortened

ITEMS = "1. Is it right?\n2. Is it short?"
QUALITY = {"strong": 8, "middle": 5, "weak": 2}


def judge(toy, *, length: float = 0.0, position: float = 0.0):
    """Sees the quality that an answer names, prefers length (points a 100 characters) and the first position."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "checklist":
            return toy.said(ITEMS)
        assert "- Is it right?\n- Is it short?" in fields["checklist"]
        points = [QUALITY[fields[side].split()[0]] + length * len(fields[side]) / 100 for side in ("first", "second")]
        gap = points[0] + position - points[1]
        degree = "A=B" if abs(gap) < 0.5 else ("A" if gap > 0 else "B") + ("++" if abs(gap) > 4 else "+")
        return toy.said(f"I looked at both. Verdict: {degree}")

    return model


def ask(toy, model, first, second, **options):
    return toy.run(five_way_judge(toy.task, toy.question(1), *toy.candidates(first, second), **options), model)


def test_a_length_inflated_model_gains_nothing_with_the_margin(toy) -> None:
    """The judge prefers what is longer; padding wins without the rule, and only ties with it."""
    model, plain, padded = judge(toy, length=0.3), "middle", "middle" + " and so on" * 60
    fooled = ask(toy, model, padded, plain, margin=-1)
    assert (fooled.choice, fooled.strength, reward([fooled], "c0")) == ("c0", 0.5, 0.5)
    held = ask(toy, model, padded, plain, margin=500)
    assert (held.choice, held.strength, reward([held], "c0")) == (TIE, 0, 0)
    assert "longer" in held.orders[0].reason
    assert ask(toy, model, plain, padded, margin=500).choice == TIE, "slight losses likewise"
    real = ask(toy, model, "strong" + " and so on" * 60, "weak", margin=500)
    assert (real.choice, real.strength) == ("c0", 1), "a clear win is not touched"
    assert ask(toy, judge(toy), padded, plain, margin=-1).choice == TIE, "nothing planted, nothing found"


def test_a_preference_for_a_position_cancels_out(toy) -> None:
    verdict = ask(toy, judge(toy, position=1), "middle", "middle too")
    assert [order.choice for order in verdict.orders] == ["c0", "c1"]
    assert (verdict.choice, verdict.strength) == (TIE, 0)


@pytest.mark.parametrize(
    ("degree", "lengths", "margin", "kept"),
    [
        (1, (11, 0), 10, 0),
        (1, (10, 0), 10, 1),
        (2, (99, 0), 10, 2),
        (-1, (0, 11), 10, 0),
        (1, (0, 99), 10, 1),
        (1, (99, 0), -1, 1),
        (0, (99, 0), 10, 0),
        (1, (1, 0), 0, 0),
    ],
)
def test_only_slight_wins_of_longer_answers_become_ties(degree, lengths, margin, kept) -> None:
    assert shortened(degree, "x" * lengths[0], "x" * lengths[1], margin) == kept


def test_rewards_by_hand() -> None:
    shown = ("x", "y")
    verdicts = [
        Verdict(shown, "x", strength=1.0),
        Verdict(shown, "y", strength=0.5),
        Verdict(shown, TIE, strength=0.0),
        Verdict(shown, None, reason="unreadable reply"),
    ]
    assert reward(verdicts, "x") == pytest.approx(0.5 / 3)
    assert reward(verdicts, "y") == pytest.approx(-0.5 / 3)
    assert reward(verdicts[3:], "x") is None


def test_rewards_order_models_as_their_elo_does(toy) -> None:
    """Rewards against one baseline, and ratings from all pairs, put planted models in the planted order."""
    model, rows, mean = judge(toy), [], {}
    names = list(QUALITY)
    for a in names:
        for b in names:
            if a < b:
                choice = ask(toy, model, a, b).choice
                rows += [(a, b, {"c0": 1, "c1": -1, TIE: 0}[choice])] * 20
        mean[a] = 0.0 if a == "middle" else reward([ask(toy, model, a, "middle")], "c0")
    left, right, outcome = zip(*rows, strict=True)
    rating = elo(Comparisons.from_labels(left, right, outcome=outcome))
    by_rating = sorted(names, key=dict(zip(rating.names, rating.scores, strict=True)).__getitem__)
    assert by_rating == sorted(names, key=mean.__getitem__) == ["weak", "middle", "strong"]


def test_a_given_checklist_is_not_written_anew(toy) -> None:
    example = toy.question(1)
    example = type(example)(example.id, example.prompt, meta={"checklist": ["Is it right?", "Is it short?"]})
    batch = next(five_way_judge(toy.task, example, *toy.candidates("x", "y")))
    assert [toy.asked(request)[0] for request in batch] == ["compare_degrees"] * 2
    assert "checklist" not in {
        toy.asked(r)[0] for r in next(five_way_judge(toy.task, example, *toy.candidates("x", "y"), checklist=False))
    }


def test_unreadable_verdicts_leave_no_choice(toy) -> None:
    verdict = ask(toy, lambda request: toy.said("A+ or B+"), "x", "y", checklist=False)
    assert (verdict.choice, verdict.reason) == (None, "unreadable reply in 2 of 2 orders")
    assert ask(toy, None, "x", "x").reason == "equal texts"
