"""All metrics against an expert."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from whetstone.audits.evaluating import ratings_of
from whetstone.audits.expert_metrics import expert_metrics
from whetstone.audits.scored_outputs import cases_of
from whetstone.core.errors import ConfigError, TaskError

WORDS = [f"word{i}" for i in range(40)]


def rows(n: int, *, planted: bool = True) -> list[dict[str, object]]:
    """The expert scores how many words of the reference an output has, in any order; "b" writes better ones."""
    made = []
    for i in range(n):
        rng = Random(i)
        reference = rng.sample(WORDS, 8)
        for model, kept in (("a", rng.randrange(2, 6)), ("b", rng.randrange(4, 9))):
            text = [*rng.sample(reference, kept), *(f"other{rng.randrange(99)}" for _ in range(rng.randrange(9)))]
            rng.shuffle(text)
            score = kept if planted else rng.randrange(9)
            row = {"input": f"q{i}", "output": " ".join(text), "reference": " ".join(reference)}
            made.append({**row, "score": score, "model": model})
    return made


def test_the_planted_metric_wins_among_all_and_chooses_the_model(toy) -> None:
    model = lambda request: toy.said("Score: 5")  # noqa: E731
    found = toy.run(expert_metrics(toy.task, cases_of(rows(40)), signals="all", rounds=100), model)
    assert found[0].name == "content_recall"
    assert found[0].estimate == pytest.approx(1)
    assert found[0].detail["best"] > 0.9
    names = {f.name: f for f in found}
    assert {"bleu", "rouge_l", "chrf", "answer_length", "overlap"} <= set(names), "text metrics and signals"
    assert names["regret"].verdict == "content_recall chooses b"
    assert names["left out"].detail["mean_logprob"] == 80, "these outputs have no log-probabilities"


def test_no_metric_follows_an_expert_who_throws_dice(toy) -> None:
    found = toy.run(expert_metrics(toy.task, cases_of(rows(40, planted=False)), rounds=100))
    assert sum(f.verdict == "follows the expert" for f in found) <= 1
    assert found[0].detail["best"] < 0.7


def test_without_reference_only_what_needs_none_is_ranked(toy) -> None:
    bare = [{key: value for key, value in row.items() if key != "reference"} for row in rows(10)]
    found = toy.run(expert_metrics(toy.task, cases_of(bare), signals="answer_length", rounds=10))
    assert {f.name for f in found} == {"length", "distinct", "answer_length", "regret", "left out"}


def test_rows_that_cannot_be_used_are_named() -> None:
    with pytest.raises(TaskError, match="row 1: score is 'good'"):
        cases_of([{"input": "q", "output": "a", "score": "good"}])
    with pytest.raises(TaskError, match="row 1: needs input"):
        cases_of([{"output": "a", "score": 1}])


def test_signals_may_be_parted_by_spaces_and_an_unknown_one_is_named(toy) -> None:
    cases = cases_of(rows(10))
    found = toy.run(expert_metrics(toy.task, cases, signals=" answer_length , overlap,", rounds=10))
    assert {"answer_length", "overlap"} <= {f.name for f in found}
    with pytest.raises(ConfigError, match=r"no signal is called 'beauty'; there are .*answer_length"):
        next(expert_metrics(toy.task, cases, signals="answer_length, beauty"))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), pytest.param(10**400, id="huge")])
def test_a_score_that_is_not_finite_is_named(toy, score) -> None:
    with pytest.raises(TaskError, match="row 2: score is "):
        cases_of([{"input": "q", "output": "a", "score": 1}, {"input": "q", "output": "b", "score": score}])
    case = toy.case(3, ("a", "b"), ())
    case = replace(case, example=replace(case.example, meta={"ratings": [1, score]}))
    with pytest.raises(TaskError, match="q3: a rating is "):
        ratings_of(case)
