"""Formats of ratings compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from whetstone.audits.evaluating import ratings_of
from whetstone.audits.rating_formats import compared, rating_formats
from whetstone.core.errors import TaskError

N = 400


def planted(seed: int, **correlations: float):
    """Ratings with these correlations with a normal truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=N)
    ratings = {name: (r * truth + (1 - r * r) ** 0.5 * rng.normal(size=N)).tolist() for name, r in correlations.items()}
    return ratings, truth.tolist(), [str(i) for i in range(N)]


def test_finds_the_planted_correlations_and_the_best_format() -> None:
    correlations = {"score_only": 0.4, "rate_explain": 0.6, "analyze_rate": 0.8}
    found = {f.name: f for f in compared(*planted(0, **correlations))}
    for name, r in correlations.items():
        low, high = found[f"pearson/{name}"].interval
        assert low < r < high
        low, high = found[f"kendall/{name}"].interval
        assert low < 2 / np.pi * np.arcsin(r) < high
    assert found["best - score_only"].verdict == "analyze_rate is better than score_only"
    assert found["best - rate_explain"].estimate == pytest.approx(0.2, abs=0.08)
    equal = {f.name: f for f in compared(*planted(1, a=0.6, b=0.6))}
    (lead,) = (f for name, f in equal.items() if name.startswith("best"))
    assert "cannot be told apart" in lead.verdict


def test_unreadable_and_constant_ratings_are_named() -> None:
    ratings, truth, groups = planted(2, good=0.7)
    ratings["good"][:10] = [None] * 10
    ratings["constant"] = [3.0] * N
    found = {f.name: f for f in compared(ratings, truth, groups)}
    assert (found["pearson/good"].n, found["pearson/good"].detail["unreadable"]) == (N - 10, 10)
    assert found["pearson/constant"].estimate is None
    assert not any(name.startswith("best") for name in found)


def test_asks_every_format_and_uses_peoples_ratings(toy) -> None:
    """This judge sees the truth only after analysis, and rates at random otherwise."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "evaluation_steps":
            return toy.said("1. Look.")
        good = int(fields["answer"].split()[-1])
        analyzed = "First analyze" in request.prompt[0].text
        return toy.said(f"Score: {good if analyzed else toy.luck(request).randrange(1, 10)}")

    cases = []
    for i in range(20):
        case = toy.case(i, tuple(f"answer {i}: {j}" for j in (2, 5, 9)), (None,) * 3)
        cases.append(replace(case, example=replace(case.example, meta={"ratings": [1, 2, 3]})))
    found = {f.name: f for f in toy.run(rating_formats(toy.task, cases), model)}
    assert len([name for name in found if name.startswith("pearson/")]) == 8
    assert found["pearson/analyze_rate"].estimate > 0.9
    assert found["pearson/analyze_rate+steps"].estimate > 0.9
    assert abs(found["pearson/score_only"].estimate) < 0.4
    assert found["best - score_only"].verdict.endswith("is better than score_only")


def test_abstains_without_ratings_that_differ(toy) -> None:
    (finding,) = toy.run(rating_formats(toy.task, [toy.case(1, ("a", "b"), (True, True))]))
    assert "differ" in finding.verdict


@pytest.mark.parametrize("rating", [float("nan"), float("-inf"), pytest.param(10**400, id="huge")])
def test_a_rating_that_is_not_finite_is_named(toy, rating) -> None:
    case = toy.case(1, ("a", "b"), ())
    assert ratings_of(replace(case, example=replace(case.example, meta={"ratings": [2, "?"]}))) == [2.0, None]
    with pytest.raises(TaskError, match="q1: a rating is "):
        ratings_of(replace(case, example=replace(case.example, meta={"ratings": [2, rating]})))


def test_ratings_of_other_answers_are_refused(toy) -> None:
    case = toy.case(1, ("a", "b"), (True, False))
    with pytest.raises(TaskError, match="q1: 3 ratings of 2 answers; write one for each, null where there is none"):
        ratings_of(replace(case, example=replace(case.example, meta={"ratings": [1, 2, 3]})))
    assert ratings_of(replace(case, example=replace(case.example, meta={"ratings": "12"}))) == [1.0, 0.0]
