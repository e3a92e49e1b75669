"""Repeatability of gradings."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.grading_spread import grading_spread, spreads
from whetstone.core.types import Signal


def repeated(seed: int, spread: float, n: int = 100, repeats: int = 5, scale: float = 1.0):
    values = scale * (0.5 + spread * np.random.default_rng(seed).normal(size=(n, repeats)))
    return [Signal(v.mean(), "score", repeats, float(v.std(ddof=1) / repeats**0.5)) for v in values]


def test_finds_the_planted_spreads_and_no_difference_between_twins() -> None:
    groups = [str(i) for i in range(100)]
    graded = {"point_rubric": repeated(0, 0.05), "pointwise": repeated(1, 0.2, scale=9.0)}
    found = {f.name: f for f in spreads(graded, groups)}
    for grader, spread in (("point_rubric", 0.05), ("pointwise", 0.2)):
        low, high = found[f"variance/{grader}"].interval
        assert low < spread**2 < high, "in shares of the scale"
    difference = found["variance/point_rubric - pointwise"]
    assert difference.verdict == "point_rubric is more repeatable than pointwise"
    accused = 0
    for seed in range(200):
        twins = {"a": repeated(2 * seed, 0.1, 30), "b": repeated(2 * seed + 1, 0.1, 30)}
        accused += spreads(twins, groups[:30])[2].p < 0.05
    assert accused <= 19


def test_a_rubric_that_holds_the_judge_is_more_repeatable(toy) -> None:
    """This judge awards points the same way every time, and grades freely by mood."""

    def model(request):
        name, fields = toy.asked(request)
        return toy.said(f"Score: {fields['points'] if name == 'award' else toy.luck(request).randrange(1, 11)}")

    cases = [toy.case(i, (f"the answer is {i}", "no"), (True, False)) for i in range(12)]
    found = {f.name: f for f in toy.run(grading_spread(toy.task, cases), model)}
    assert found["variance/point_rubric"].estimate == 0
    assert found["variance/pointwise"].estimate == pytest.approx(8.25 / 81, rel=0.4)
    assert found["variance/point_rubric - pointwise"].verdict == "point_rubric is more repeatable than pointwise"


def test_answers_without_two_gradings_are_left_out_and_counted() -> None:
    signals = [*repeated(0, 0.1, 3), Signal(1.0, "score"), Signal(None, "score", 0, abstained="unreadable reply")]
    (found,) = spreads({"point_rubric": signals}, list("abcde"))
    assert (found.n, found.detail["left_out"]) == (3, 2)
