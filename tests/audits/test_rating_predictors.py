"""Trained predictors of raters."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.rater_tables import tables_of
from whetstone.audits.rating_predictors import rating_predictors, train_predictor
from whetstone.core.errors import TaskError

METRICS = {"feasibility": "small", "trust": "cites"}
WORDS = ("small", "large", "cites", "plain")
FILL = ("change", "income", "loan", "years", "debt", "grade", "accept", "reject")


def cases_of(toy, n: int, *, planted: bool = True):
    """Ann likes what is named by the metric's word, Bob dislikes it, Cy is lukewarm; or all throw dice."""
    made = []
    for i in range(n):
        rng = Random(i)
        text = f"{' '.join(rng.sample(FILL, 4))} {rng.choice(WORDS[:2])} {rng.choice(WORDS[2:])}"
        rated = {}
        for metric, word in METRICS.items():
            liked = word in text if planted else rng.random() < 0.5
            rated[metric] = {"Ann": 6 if liked else 1, "Bob": 1 if liked else 6, "Cy": 6 if liked else 3.5}
        case = toy.case(i, (text,), (None,))
        made.append(replace(case, example=replace(case.example, meta={"rated": rated})))
    return made


def test_beats_the_majority_on_planted_preferences_and_not_on_dice(toy) -> None:
    found = {f.name: f for f in rating_predictors(cases_of(toy, 60))}
    for metric in METRICS:
        for name in ("average", "raters"):
            assert found[f"accuracy/{metric}/{name}"].estimate > 0.9
            assert found[f"gain/{metric}/{name}"].verdict == "beats the commonest rating"
    dice = {f.name: f for f in rating_predictors(cases_of(toy, 60, planted=False))}
    assert all("does not beat" in f.verdict for name, f in dice.items() if name.startswith("gain"))


def test_each_rater_has_a_predictor_of_his_own(toy) -> None:
    cases = cases_of(toy, 60)
    tables = tables_of(cases, 1, 6)
    ann, bob = (train_predictor(tables["trust", name]) for name in ("Ann", "Bob"))
    items = [(case.example, case.candidates[0].text) for case in cases_of(toy, 80)[60:]]
    assert [4 - rating for rating in ann(items)] == bob(items)
    assert ann(items) == [3 if "cites" in text else 1 for _, text in items]


def test_says_what_is_missing(toy) -> None:
    with pytest.raises(TaskError, match="0 questions with"):
        rating_predictors([toy.case(1, ("a",), (None,))])
