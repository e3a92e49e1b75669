"""Accuracy and use of the scale by group."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from whetstone.audits.evaluating import Pair
from whetstone.audits.group_gap import gaps, group_gap, spreads
from whetstone.audits.multilingual_pairs import multilingual
from whetstone.core.types import Case, Signal, Verdict
from whetstone.worlds.multilingual import LANGUAGES, contrasts

GROUPS = ("en", "sw", "th")


def judged(toy, seed: int, n: int, accuracy: dict[str, float]):
    rng = Random(seed)
    pairs = [Pair(toy.question(i), *toy.candidates("yes", "no"), (True, False)) for i in range(n)]
    groups = [GROUPS[i % 3] for i in range(n)]
    verdicts = [Verdict(("c0", "c1"), "c0" if rng.random() < accuracy.get(g, 0.8) else "c1") for g in groups]
    return gaps(pairs, verdicts, groups)


def scored(seed: int, n: int, spread: dict[str, float]):
    rng = Random(seed)
    groups = [GROUPS[i % 3] for i in range(n)]
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
        example = replace(case.example, meta={"language": GROUPS[i % 3]})
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


def test_on_bundled_pairs_a_mid_scoring_judge_collapses_where_it_does(toy) -> None:
    """It grades well in five languages, and gives 5 to everything in three; the pairs and the flags tell."""
    good = {
        (case.example.question, c.text)
        for case in multilingual(480)
        for c, right in zip(case.candidates, case.correct, strict=True)
        if right
    }
    lost, language = {"sw", "id", "tr"}, {c.example.question: c.example.meta["language"] for c in multilingual(480)}

    def judge(request):
        _, fields = toy.asked(request)
        if language[fields["question"]] in lost:
            return toy.said("Score: 5")
        return toy.said(f"Score: {9 if (fields['question'], fields['answer']) in good else 2}")

    flow = group_gap(toy.task, [], evaluator="pointwise", bundled=480)
    found = {f.name: f for f in toy.run(flow, judge)}
    assert {name for name, f in found.items() if f.verdict == "scores collapse"} == {f"spread {name}" for name in lost}
    assert {name: found[f"accuracy {name}"].estimate for name in lost} == dict.fromkeys(lost, 0.5)
    assert found["accuracy de"].estimate > 0.95
    assert found["gap"].verdict.startswith("worst in")
    assert len(good) > 200


def test_on_bundled_pairs_the_wrong_language_and_a_fair_judge(toy) -> None:
    known = {}
    for case in multilingual(480):
        good = case.candidates[case.correct.index(True)].text
        known[case.example.question, frozenset(c.text for c in case.candidates)] = good, case.example.meta["category"]

    def judge(request, blind: bool):
        _, fields = toy.asked(request)
        good, category = known[fields["question"], frozenset((fields["first"], fields["second"]))]
        if blind and category == "language":
            return toy.said("Verdict: E")
        return toy.said(f"Verdict: {'A' if fields['first'] == good else 'B'}")

    flow = group_gap(toy.task, [], key="category", bundled=480)
    blind = {f.name: f for f in toy.run(flow, lambda request: judge(request, True))}
    assert blind["gap"].verdict == "worst in language"
    assert (blind["accuracy language"].estimate, blind["accuracy format"].n) == (0.5, 80)
    fair = {f.name: f for f in toy.run(group_gap(toy.task, [], bundled=480), lambda request: judge(request, False))}
    assert fair["gap"].verdict == "no gap between groups found"


def test_bundled_pairs_are_what_they_say() -> None:
    for one in contrasts(Random(3), 480):
        assert one.good != one.bad
        assert "{" not in one.question + one.good + one.bad
        if one.category == "language":
            assert one.bad.split()[:2] != one.good.split()[:2]
        if one.category == "word":
            assert LANGUAGES[one.language].answer.format(x="").strip(" .").split()[0] == one.good.split()[0]
