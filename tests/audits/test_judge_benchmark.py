"""Judges compared on labelled pairs."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.asking import settings_of
from whetstone.audits.evaluating import Pair
from whetstone.audits.judge_benchmark import benchmarked, judge_benchmark
from whetstone.core.errors import ConfigError
from whetstone.core.types import Verdict


def pairs_of(toy, n, sources=("mine", "yours")):
    out = []
    for i in range(n):
        one, two = toy.candidates("right", "wrong")
        out.append(Pair(toy.question(i), one, two, (True, False)))
    return out


def verdicts(n, accuracy, seed, unreadable=0.0):
    rng = Random(seed)
    return [
        Verdict(("c0", "c1"), None, reason="unreadable reply")
        if rng.random() < unreadable
        else Verdict(("c0", "c1"), "c0" if rng.random() < accuracy else "c1")
        for _ in range(n)
    ]


def test_finds_the_planted_accuracies_and_no_difference_between_twins(toy) -> None:
    asked = pairs_of(toy, 400)
    given = {"plain": verdicts(400, 0.7, 1), "sharp": verdicts(400, 0.9, 2, 0.1), "coin": verdicts(400, 0.5, 3)}
    found = {f.name: f for f in benchmarked(asked, given, {"plain": 2.0, "sharp": 6.0, "coin": 2.0})}
    for judge, accuracy in (("plain", 0.7), ("sharp", 0.9), ("coin", 0.5)):
        low, high = found[f"accuracy/{judge}"].interval
        assert low < accuracy < high
    assert found["accuracy/sharp"].verdict == "better than a coin"
    assert "coin as far" in found["accuracy/coin"].verdict
    assert found["unreadable/sharp"].estimate == pytest.approx(0.1, abs=0.04)
    assert found["accuracy/sharp - plain"].estimate == pytest.approx(0.2, abs=0.08)
    assert found["accuracy/sharp - plain"].p < 0.001
    assert found["accuracy/sharp"].detail["requests_per_pair"] == 6
    accused = 0
    for seed in range(200):
        twins = {"a": verdicts(60, 0.7, seed), "b": verdicts(60, 0.7, 1000 + seed)}
        (difference,) = [f for f in benchmarked(asked[:60], twins) if f.name == "accuracy/b - a"]
        accused += difference.p < 0.05
    assert accused <= 19, "twins differ no more often than by chance"


def test_ranks_sources_as_the_truth_does(toy) -> None:
    """Source j answers right against source i < j; a good judge ranks the sources so, a bad one the other way round."""
    asked = []
    for i in range(30):
        a, b = sorted(Random(i).sample(range(4), 2))
        (one,), (two,) = toy.candidates("wrong", source=f"s{a}"), toy.candidates("right", source=f"s{b}")
        asked.append(Pair(toy.question(i), one, type(two)("c1", two.generation, two.source), (False, True)))
    good, bad = [Verdict(("c0", "c1"), "c1")] * 30, [Verdict(("c0", "c1"), "c0")] * 30
    found = {f.name: f.estimate for f in benchmarked(asked, {"good": good, "bad": bad})}
    assert found["systems/good"] == pytest.approx(1)
    assert found["systems/bad"] == pytest.approx(-1)


def test_asks_judges_in_all_modes_and_counts(toy) -> None:
    def model(request):
        name, fields = toy.asked(request)
        if name == "compare":
            return toy.said("Verdict: " + ("A" if fields["first"].endswith(" " + fields["question"]) else "B"))
        return toy.said("hm")

    cases = [toy.case(i, (f"the answer is {i}", f"the answer is {i + 1}"), (True, False)) for i in range(12)]
    flow = judge_benchmark(toy.task, cases, judges=("pairwise_judge:style=verdict_first", "answer_length", "pointwise"))
    found = {f.name: f for f in toy.run(flow, model)}
    assert found["accuracy/pairwise_judge:style=verdict_first"].estimate == 1
    assert found["accuracy/pairwise_judge:style=verdict_first"].detail["requests_per_pair"] == 2
    assert found["accuracy/answer_length"].detail["requests_per_pair"] == 0
    assert found["unreadable/pointwise"].estimate == 1
    assert found["accuracy/pointwise"].verdict == "not measured"


def test_settings_are_read_and_checked() -> None:
    assert settings_of("pointwise:style=free,samples=3,steps=true") == (
        "pointwise",
        {"style": "free", "samples": 3, "steps": True},
    )
    assert settings_of("pointwise:style=free;samples=3")[1] == {"style": "free", "samples": 3}
    with pytest.raises(ConfigError, match="has no setting 'colour=red'"):
        settings_of("pointwise:colour=red")
