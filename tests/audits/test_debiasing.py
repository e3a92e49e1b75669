"""What a remedy against bias brings."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.debiasing import debiasing, gains
from whetstone.audits.evaluating import right_and_wrong
from whetstone.core.types import Verdict


def cases(toy, n: int):
    return [toy.case(i, (f"the answer is {i}", f"the answer is {i + 50}"), (True, False)) for i in range(n)]


def side(rng: Random, n: int, clean: float, probed: float):
    """Verdicts of a judge with these accuracies."""

    def verdicts(accuracy: float):
        return [Verdict(("c0", "c1"), "c0" if rng.random() < accuracy else "c1") for _ in range(n)]

    return verdicts(clean), {"bandwagon": verdicts(probed)}


def test_finds_the_planted_gain_and_none_of_an_idle_remedy(toy) -> None:
    asked, rng = right_and_wrong(cases(toy, 300), 1), Random(1)
    found = {f.name: f for f in gains(asked, side(rng, 300, 0.9, 0.3), side(rng, 300, 0.9, 0.8))}
    assert found["accuracy bandwagon"].estimate == pytest.approx(0.5, abs=0.08)
    assert found["accuracy bandwagon"].verdict == found["consistency bandwagon"].verdict == "the remedy helps"
    assert found["accuracy clean"].verdict == "no effect of the remedy found"
    asked, accused = right_and_wrong(cases(toy, 60), 1), 0
    for seed in range(100):
        rng = Random(seed)
        accused += any(f.p < 0.05 for f in gains(asked, side(rng, 60, 0.8, 0.6), side(rng, 60, 0.8, 0.6)))
    assert accused <= 12


def test_a_live_judge_that_follows_the_majority_until_it_is_warned(toy) -> None:
    def model(request):
        name, fields = toy.asked(request)
        right = "A" if fields["first"].endswith(f"is {fields['question']}") else "B"
        swayed = "A" if "90 %" in fields["first"] else "B" if "90 %" in fields["second"] else right
        if name == "detect_bias":
            return toy.said(f"Verdict: {'N' if fields['verdict'].endswith(right) else 'Y'}")
        return toy.said(f"Verdict: {right if name == 'compare_warned' else swayed}")

    found = {f.name: f for f in toy.run(debiasing(toy.task, cases(toy, 10)), model)}
    assert found["accuracy bandwagon"].detail["before"] == 0
    assert found["accuracy bandwagon"].detail["after"] == 1
    assert found["accuracy bandwagon"].verdict == "the remedy helps"
    assert {found[f"accuracy {name}"].estimate for name in ("clean", "verbosity", "sentiment")} == {0}
