"""Confidence against competence."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.overconfidence import gaps, overconfidence
from whetstone.core.types import Case, Signal


def audit(toy, seed: int, n: int, accuracy: dict[int, float], stated):
    """Answers right at their level's accuracy, with the confidence stated for it."""
    rng = Random(seed)
    cases, values = [], []
    for level, p in accuracy.items():
        for i in range(n):
            example = replace(toy.question(i), id=f"{level}-{i}", group=f"{level}-{i}", meta={"level": level})
            cases.append(Case(example, toy.candidates("x"), (rng.random() < p,)))
            values.append([Signal(stated(level, p), "probability")])
    return {f.name: f for f in gaps(cases, values)}


def test_finds_the_planted_gap_and_none_in_an_honest_model(toy) -> None:
    sure = audit(toy, 0, 200, {1: 0.9, 5: 0.5, 10: 0.1}, lambda level, p: 0.9)
    assert sure["gap"].interval[0] < 0.4 < sure["gap"].interval[1]
    assert [sure[f"gap {level}"].verdict for level in (1, 5, 10)] == ["no gap found", "overconfident", "overconfident"]
    assert sure["gap 10"].interval[0] < 0.8 < sure["gap 10"].interval[1]
    assert sure["gap"].detail["confident_wrong"] > 250
    assert sure["gap"].detail["unsure_wrong"] == 0
    shy = audit(toy, 0, 200, {1: 0.9}, lambda level, p: 0.4)
    assert (shy["gap"].verdict, set(shy)) == ("underconfident", {"gap"})
    accused = sum(
        audit(toy, seed, 60, {1: 0.7}, lambda level, p: p)["gap"].verdict != "no gap found" for seed in range(200)
    )
    assert accused <= 19


def test_runs_a_signal(toy) -> None:
    cases = [toy.case(i, ("right", "wrong"), (True, False)) for i in range(20)]
    (found,) = toy.run(overconfidence(toy.task, cases), lambda request: toy.said("Confidence: 95"))
    assert found.estimate == pytest.approx(0.45)
    assert found.detail["confident_right"] == found.detail["confident_wrong"] == 20
