"""Ranking answers in one prompt."""

from __future__ import annotations

import re

import pytest

from whetstone.signals.batch_ranking import batch_ranking
from whetstone.signals.parsing import read_order


def judge(toy, *, bias: float = 0.0, quality: bool = True):
    """Ranks by the number in an answer, plus `bias` for every position nearer to the front."""

    def model(request):
        shown = re.findall(r"\[Answer (\w)\]\n(.*)\n", toy.asked(request)[1]["answers"])
        score = {
            letter: (int(text.split()[-1]) if quality else 0) + bias * (len(shown) - i)
            for i, (letter, text) in enumerate(shown)
        }
        return toy.said("Ranking: " + " > ".join(sorted(score, key=score.__getitem__, reverse=True)))

    return model


def values(toy, model, texts, **options):
    return [
        s.value for s in toy.run(batch_ranking(toy.task, toy.question(1), toy.candidates(*texts), **options), model)
    ]


def test_recovers_the_planted_order_behind_a_position_bias(toy) -> None:
    texts = ("the answer is 3", "the answer is 1", "the answer is 4", "the answer is 2")
    assert values(toy, judge(toy), texts) == pytest.approx([2 / 3, 0, 1, 1 / 3])
    biased = values(toy, judge(toy, bias=1.5), texts)
    assert sorted(range(4), key=biased.__getitem__) == [1, 3, 0, 2]
    one_order = values(toy, judge(toy, bias=1.5), texts, orders=1)
    assert sorted(range(4), key=one_order.__getitem__) != [1, 3, 0, 2], "one order alone is misled"
    assert values(toy, judge(toy, bias=1, quality=False), texts) == pytest.approx([0.5] * 4), "nothing planted"


def test_every_answer_stands_at_every_position_once(toy) -> None:
    batch = next(batch_ranking(toy.task, toy.question(1), toy.candidates("a", "b", "c", "a")))
    shown = [re.findall(r"\[Answer \w\]\n(.*)\n", toy.asked(request)[1]["answers"]) for request in batch]
    assert [sorted(column) for column in zip(*shown, strict=True)] == [["a", "a", "b", "b", "c", "c"]] * 3


def test_large_sets_are_dealt_into_groups(toy) -> None:
    texts = [f"the answer is {i}" for i in range(10)]
    batch = next(batch_ranking(toy.task, toy.question(1), toy.candidates(*texts), size=4))
    assert len(batch) == 2 * (4 + 3 + 3)
    found = values(toy, judge(toy), texts, size=4)
    assert found[9] == 1
    assert found[0] == 0


def test_unreadable_rankings_and_nothing_to_rank(toy) -> None:
    def half(request):
        first = toy.asked(request)[1]["answers"].startswith("[Answer A]\nx")
        return toy.said("Ranking: B > A" if first else "Ranking: A")

    signals = toy.run(batch_ranking(toy.task, toy.question(1), toy.candidates("x", "y")), half)
    assert [(s.value, s.n, s.provenance["unreadable"]) for s in signals] == [(0, 1, 1), (1, 1, 1)]
    (same, _) = toy.run(batch_ranking(toy.task, toy.question(1), toy.candidates("x", "x")))
    assert "nothing to rank" in same.abstained


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Ranking: C > A > B", "CAB"),
        ("A > B > C at first. No: **B, C, A**", "BCA"),
        ("Ranking: A > B", None),
        ("Ranking: A > A > B", None),
        ("A and B", None),
    ],
)
def test_reads_the_last_full_ranking(text, order) -> None:
    assert read_order(text, "ABC") == (None if order is None else tuple(order))
