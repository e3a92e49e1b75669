"""Accuracy and use of the scale by group."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from whetstone.audits.evaluating import Pair
from whetstone.audits.group_gap import gaps, group_gap, spreads
from whetstone.core.types import Case, Signal, Verdict

LANGUAGES = ("en", "sw", "th")


def judged(toy, seed: int, n: int, accuracy: dict[str, float]):
    rng = Random(seed)
    pairs = [Pair(toy.question(i), *toy.candidates("yes", "no"), (True, False)) for i in range(n)]
    groups = [LANGUAGES[i % 3] for i in range(n)]
    verdicts = [Verdict(("c0", "c1"), "c0" if rng.random() < accuracy.get(g, 0.8) else "c1") for g in groups]
    return gaps(pairs, verdicts, groups)


def scored(seed: int, n: int, spread: dict[str, float]):
    rng = Random(seed)
    groups = [LANGUAGES[i % 3] for i in range(n)]
    return spreads([[Signal(5 + rng.gauss(0, 1) * spread.get(g, 2.0), "score")] for g in groups], groups)


def test_finds_the_planted_gap_and_collapse_and_none_where_groups_are_alike(toy) -> None:
    found = {f.name: f for f in judged(toy, 1, 600, {"sw": 0.55})}
    assert found["accuracy sw"].interval[0] < 0.55 < found["accuracy sw"].interval[1]
    assert (found["gap"].verdict, found["gap"].detail["worst"]) == ("worst in sw", "sw")
    wide = {f.name: f.verdict for f in scored(1, 300, {"th": 0.3})}
    assert wide == {"spread en": "no collapse found", "spread sw": "no collapse found", "spread th": "scores collapse"}
    accused = sum(judged(toy, seed, 60, {})[-1].p < 0.05 for seed in range(100))
    assert accused <= 12
    collapsed = sum(any(f.verdict == "scores collapse" for f in scored(seed, 60, {})) for seed in range(200))
    assert collapsed <= 19


def test_live_judges_and_signals(toy) -> None:
    """A judge that reads no Swahili chooses the first answer there; in both orders that is a tie."""
    cases = []
    for i in range(60):
        case = toy.case(i, (f"the answer is {i}", f"surely {i + 50}"), (True, False))
        example = replace(case.example, meta={"language": LANGUAGES[i % 3]})
        cases.append(Case(example, case.candidates, case.correct))

    def judge(request):
        _, fields = toy.asked(request)
        lost = int(fields["question"]) % 3 == 1
        return toy.said(f"Verdict: {'A' if lost or fields['first'].endswith(' ' + fields['question']) else 'B'}")

    found = {f.name: f for f in toy.run(group_gap(toy.task, cases), judge)}
    assert (found["accuracy en"].estimate, found["accuracy sw"].estimate) == (1, 0.5)
    assert found["gap"].verdict == "worst in sw"
    by_length = {f.name: f for f in toy.run(group_gap(toy.task, cases, evaluator="answer_length"))}
    assert by_length["accuracy en"].estimate == by_length["accuracy sw"].estimate == 1
    assert "spread th" in by_length
