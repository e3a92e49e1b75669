"""Recognition of one's own answers."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.evaluating import Pair
from whetstone.audits.self_recognition import recognition, self_recognition
from whetstone.core.types import Candidate, Case, Generation, Verdict

MINE = Candidate("m", Generation("mine"), "me")


def other(source: str) -> Candidate:
    return Candidate("o", Generation(f"by {source}"), source)


def audit(toy, seed: int, n: int, knows: float, likes: float, linked: bool = False):
    """A judge that recognises and prefers its own answers with these probabilities."""
    rng = Random(seed)
    pairs = [Pair(toy.question(i), MINE, other("xy"[i % 2])) for i in range(n)]

    def verdict(p: float) -> tuple[bool, Verdict]:
        own = rng.random() < p
        single = Verdict(("m", "o"), "m" if own else "o", {"m": 0.9 if own else 0.2, "o": 0.1 if own else 0.8})
        return own, Verdict(("m", "o"), single.choice, orders=(single, single))

    recognised = [verdict(knows) for _ in pairs]
    preferred = [verdict((1.0 if known else 0.0) if linked else likes)[1] for known, _ in recognised]
    return {f.name: f for f in recognition(pairs, [v for _, v in recognised], preferred, "me")}


def test_finds_planted_recognition_and_favour_and_their_link(toy) -> None:
    found = audit(toy, 1, 400, 0.8, 0.7)
    assert found["recognition"].estimate == pytest.approx(0.8 * 0.9 + 0.2 * 0.2, abs=0.04), "weighted by probability"
    assert found["recognition"].verdict == "recognises its own answers"
    assert found["preference"].verdict == "prefers its own answers"
    assert found["link"].verdict == "no link between recognition and preference found"
    assert found["ambiguous"].estimate == 0
    assert {"recognition of x", "recognition of y"} <= set(found)
    tied = audit(toy, 2, 200, 0.6, 0.5, linked=True)
    assert tied["link"].estimate == pytest.approx(1)
    assert audit(toy, 3, 200, 0.2, 0.5)["recognition"].verdict == "takes others' answers for its own"
    fair = [recognition_p(toy, seed) for seed in range(200)]
    assert sum(p < 0.05 for p in fair) <= 19


def recognition_p(toy, seed: int) -> float:
    rng = Random(seed)
    pairs = [Pair(toy.question(i), MINE, other("x")) for i in range(40)]
    coin = [Verdict(("m", "o"), rng.choice("mo")) for _ in pairs]
    return recognition(pairs, coin, coin, "me")[0].p


def test_a_live_judge_that_knows_and_one_that_takes_the_first(toy) -> None:
    cases = [Case(toy.question(i), (other("x"), MINE)) for i in range(10)]

    def knows(request):
        return toy.said(f"Verdict: {'A' if toy.asked(request)[1]['first'] == 'mine' else 'B'}")

    found = {f.name: f for f in toy.run(self_recognition(toy.task, cases, own="me"), knows)}
    assert (found["recognition"].estimate, found["preference"].estimate) == (1, 1)
    first = toy.run(self_recognition(toy.task, cases, own="me"), lambda request: toy.said("Verdict: A"))
    assert {f.name: f.estimate for f in first}["ambiguous"] == 1
    assert {f.name: f.estimate for f in first}["recognition"] == 0.5
    (nothing,) = toy.run(self_recognition(toy.task, cases, own="nobody"))
    assert "no case has answers of 'nobody'" in nothing.verdict
