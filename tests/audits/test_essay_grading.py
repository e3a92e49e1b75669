"""Essays."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.essay_grading import essay_grading, features

LONG, SHORT = "extraordinary", "nice"


def cases_of(toy, n):
    """The grade is how many long words an essay has (0 to 3) plus how much sense it makes (0 to 2), which only reading
    shows."""
    out = []
    for i in range(n):
        rng = Random(i)
        texts, grades = [], []
        for j in range(2):
            words, sense = rng.randrange(4), rng.randrange(3)
            texts.append(f"Essay {i} {j} " + " ".join([LONG] * words + [SHORT] * (3 - words)) + f" {'abc'[sense]} end.")
            grades.append(words + sense)
        case = toy.case(i, tuple(texts), (None, None))
        out.append(replace(case, example=replace(case.example, meta={"grades": grades})))
    return out


def judge(toy, *, reads: bool = True):
    def model(request):
        text = toy.asked(request)[1]["answer"]
        sense = "abc".index(text.split()[-2]) if reads else toy.luck(request).randrange(3)
        return toy.said(f"Read. Score: {sense}")

    return model


def audit(toy, model):
    return {f.name: f for f in toy.run(essay_grading(toy.task, cases_of(toy, 60)), model)}


def test_finds_what_features_and_judge_are_worth(toy) -> None:
    found = audit(toy, judge(toy))
    assert found["rmse/features"].estimate == pytest.approx((2 / 3) ** 0.5, abs=0.15), "the sense is missing"
    assert found["rmse/features+judge"].estimate < 0.15
    assert found["kappa/features+judge"].estimate > 0.95
    assert found["kappa/features+judge"].estimate > found["kappa/judge"].interval[1]
    blind = audit(toy, judge(toy, reads=False))
    assert blind["rmse/features+judge"].estimate == pytest.approx(blind["rmse/features"].estimate, abs=0.05)


def test_features_by_hand() -> None:
    log_words, word, sentence, distinct, long, commas = features("One two, one. Extraordinary!")
    assert (word, sentence, distinct, long, commas) == ((3 + 3 + 3 + 13) / 4, 2, 3 / 4, 1 / 4, 1 / 4)
    assert log_words == pytest.approx(1.609, abs=1e-3)
    assert features("")[0] == 0
