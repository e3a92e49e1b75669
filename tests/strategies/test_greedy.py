"""Greedy decoding."""

from __future__ import annotations

from math import log

import pytest

from whetstone.strategies.greedy import greedy


def test_gives_the_likeliest_answer(toy) -> None:
    def model(request):
        sure = request.sampling.temperature == 0
        return toy.said(f"the answer is {4 if sure else 5}", 0.5, 0.5)

    outcome = toy.run(greedy(toy.task, toy.question(4)), model)
    assert (outcome.answer, outcome.text) == ("4", "the answer is 4")
    assert outcome.confidence.value == pytest.approx(log(0.5))
    assert [c.source for c in outcome.trail] == ["greedy"]


def test_an_unreadable_answer_abstains_with_its_text_kept(toy) -> None:
    outcome = toy.run(greedy(toy.task, toy.question(4)), lambda request: toy.said("hm"))
    assert (outcome.answer, outcome.confidence.abstained) == (None, "the answer is unreadable")
    assert outcome.trail[0].text == "hm"
