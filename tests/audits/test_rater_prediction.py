"""Predicting raters."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.rater_prediction import rater_prediction
from whetstone.audits.rater_tables import tables_of
from whetstone.core.errors import ConfigError, TaskError

METRICS = {"clarity": "short", "trust": "cites"}
WORDS = ("short", "long", "cites", "plain")


def cases_of(toy, n, *, planted: bool = True):
    """Ann likes what is named by the metric's word, Bob dislikes it; without planting both rate by dice."""
    out = []
    for i in range(n):
        rng = Random(i)
        text = f"{rng.choice(WORDS[:2])} {rng.choice(WORDS[2:])} {i}"
        rated = {}
        for metric, word in METRICS.items():
            liked = word in text if planted else rng.random() < 0.5
            rated[metric] = {"Ann": 6 if liked else 1, "Bob": 1 if liked else 6, "Cy": 6 if liked else 3.5}
        case = toy.case(i, (text,), (None,))
        out.append(replace(case, example=replace(case.example, meta={"rated": rated})))
    return out


def learner(toy):
    """Says the mean rating of the shown answers that share the metric's word."""

    def model(request):
        fields = toy.asked(request)[1]
        word = METRICS[fields["metric"]]
        demos = re.findall(r"Answer: (.*)\nScore: (\d)", fields["shown"])
        alike = [int(score) for text, score in demos if (word in text) == (word in fields["answer"])]
        return toy.said(f"Score: {round(sum(alike) / len(alike)) if alike else 2}")

    return model


def test_finds_planted_preferences_of_raters_and_none_in_noise(toy) -> None:
    found = {f.name: f for f in toy.run(rater_prediction(toy.task, cases_of(toy, 40)), learner(toy))}
    for metric in METRICS:
        for name in ("average", "raters"):
            assert found[f"accuracy/{metric}/{name}"].estimate > 0.9
        assert found[f"gain/{metric}/raters"].verdict == "beats the commonest rating"
    blind = {f.name: f for f in toy.run(rater_prediction(toy.task, cases_of(toy, 40), shots=0), learner(toy))}
    assert blind["accuracy/clarity/raters"].estimate < 0.4, "without the rater's own ratings it cannot know"
    noise = {f.name: f for f in toy.run(rater_prediction(toy.task, cases_of(toy, 40, planted=False)), learner(toy))}
    assert all("does not beat" in f.verdict for name, f in noise.items() if name.startswith("gain"))


def test_shows_other_questions_only_and_abstains_without_ratings(toy) -> None:
    batch = next(rater_prediction(toy.task, cases_of(toy, 4)))
    assert len(batch) == 4 * 2 * 4
    for request in batch:
        fields = toy.asked(request)[1]
        assert f"Answer: {fields['answer']}\n" not in fields["shown"]
    (finding,) = toy.run(rater_prediction(toy.task, [toy.case(1, ("a",), (None,))]))
    assert "rated" in finding.verdict


def test_a_scale_without_thirds_is_refused(toy) -> None:
    with pytest.raises(ConfigError, match="low must be below high"):
        next(rater_prediction(toy.task, cases_of(toy, 4), low=6, high=6))


def test_right_and_wrong_are_ratings_too(toy) -> None:
    cases = [toy.case(i, (f"the answer is {i}", "no"), (True, False)) for i in range(12)]
    key = lambda request: toy.said("Score: " + "31"["no" in toy.asked(request)[1]["answer"]])  # noqa: E731
    found = {f.name: f for f in toy.run(rater_prediction(toy.task, cases), key)}
    assert found["accuracy/correctness/raters"].estimate == 1
    assert found["accuracy/correctness/raters"].n == 24


@pytest.mark.parametrize("rating", [float("nan"), float("inf"), pytest.param(10**400, id="huge")])
def test_a_rating_that_is_not_finite_is_named(toy, rating) -> None:
    case = toy.case(1, ("a",), (None,))
    case = replace(case, example=replace(case.example, meta={"rated": {"clarity": {"ann": 2, "bob": rating}}}))
    with pytest.raises(TaskError, match="q1: the rating of clarity by bob is "):
        tables_of([case], 1, 6)
