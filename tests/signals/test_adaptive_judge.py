"""Questions written for the task, read or run."""

from __future__ import annotations

from random import Random

from whetstone.core.types import TIE
from whetstone.signals.adaptive_judge import Item, adaptive_judge, outcome, read_items
from whetstone.signals.pairwise_judge import pairwise_judge

PLAN = """Here is the plan:
1. Read: Is it friendly?
2. Run: Does it have at most 20 words? => len(words(answer)) <= 20
Run: Is it friendly?"""


def judge(toy):
    """Cannot count: it takes what reads longer for what is better. It trusts a program's findings."""

    def model(request):
        name, fields = toy.asked(request)
        if name == "plan_checks":
            return toy.said(PLAN)
        if name == "read_item":
            return toy.said("Looks good.")
        if name == "compare_critiqued":
            good = ["program: yes" in fields[f"{side}_critique"] for side in ("first", "second")]
            if good[0] != good[1]:
                return toy.said(f"Verdict: {'A' if good[0] else 'B'}")
        longer = len(fields["first"]) > len(fields["second"])
        return toy.said(f"Verdict: {'A' if longer else 'B'}")

    return model


def accuracy(toy, method, **options):
    """Share of pairs of a text within 20 words and one beyond in which the first is chosen."""
    flows, right = {}, {}
    for i in range(40):
        rng = Random(i)
        texts = ["well " * rng.randrange(10, 20), "well " * rng.randrange(25, 40)]
        rng.shuffle(texts)
        right[str(i)] = f"c{int(len(texts[1]) < len(texts[0]))}"
        flows[str(i)] = method(toy.task, toy.question(i), *toy.candidates(*texts), **options)
    results = toy.every(flows, judge(toy)).results
    return sum(results[key].choice == name for key, name in right.items()) / len(right)


def test_beats_the_judge_that_only_reads_on_constraints_that_code_can_check(toy) -> None:
    assert accuracy(toy, adaptive_judge) == 1
    assert accuracy(toy, adaptive_judge, code=False) == 0, "the same questions, read"
    assert accuracy(toy, pairwise_judge) == 0


def test_reads_plans() -> None:
    assert read_items(PLAN) == [
        Item("Is it friendly?"),
        Item("Does it have at most 20 words?", "len(words(answer)) <= 20"),
    ]
    assert read_items("- run: Short? => `len(answer) < 9`") == [Item("Short?", "len(answer) < 9")]


def test_a_check_that_fails_is_reported_not_scored(toy) -> None:
    assert "could not be run" in outcome("open('x')", "a")
    verdict = toy.run(
        adaptive_judge(toy.task, toy.question(1), *toy.candidates("x", "y")), lambda r: toy.said("no plan here")
    )
    assert (verdict.choice, verdict.reason) == (None, "the judge wrote no readable question")
    assert toy.run(adaptive_judge(toy.task, toy.question(1), *toy.candidates("x", "x"))).choice == TIE
