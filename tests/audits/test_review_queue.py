"""The queue of verdicts for people."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.evaluating import Pair
from whetstone.audits.review_queue import queue, review_queue
from whetstone.core.types import TIE, Verdict


def audit(toy, seed: int, n: int, biased: float):
    """Clear pairs that every single verdict gets right, and for a share of pairs a judge that takes the first shown."""
    rng = Random(seed)
    pairs = [Pair(toy.question(i), *toy.candidates("yes", "no"), (True, False)) for i in range(n)]
    verdicts = []
    for _ in pairs:
        spoiled = rng.random() < biased
        orders = [
            Verdict(shown, shown[0] if spoiled else "c0") for shown in (("c0", "c1"), ("c1", "c0")) for _ in range(3)
        ]
        verdicts.append(Verdict(("c0", "c1"), TIE if spoiled else "c0", orders=tuple(orders)))
    return {f.name: f for f in queue(pairs, verdicts)}


def test_the_queue_holds_the_verdicts_that_a_position_bias_spoiled(toy) -> None:
    found = audit(toy, 1, 300, 0.2)
    assert found["conflict"].interval[0] < 0.2 < found["conflict"].interval[1]
    assert found["tie"].estimate == found["conflict"].estimate
    assert found["caught"].verdict == "the queue catches errors"
    assert found["caught"].estimate > 0.8
    reviewed = found["reviewed"]
    assert (reviewed.estimate, reviewed.detail["alone"]) == (1.0, pytest.approx(0.8, abs=0.05))
    assert reviewed.interval[0] > reviewed.detail["at_random"] > reviewed.detail["alone"], "the same work, better spent"
    assert found["review"].n == len(found["review"].detail["queue"]) == 60
    assert found["review"].estimate > 0.5
    fair = audit(toy, 1, 100, 0.0)
    assert (fair["conflict"].estimate, fair["win"].estimate, fair["review"].estimate) == (0, 1, 0)
    assert fair["caught"].verdict == "no difference in errors found"


def test_a_live_judge_of_evidence_and_scores(toy) -> None:
    def judge(request):
        _, fields = toy.asked(request)
        first = fields["first"].endswith(" " + fields["question"])
        even = int(fields["question"]) % 2 == 0
        return toy.said(f"Score of A: {9 if even or first else 2}\nScore of B: {2 if even or first else 9}")

    cases = [toy.case(i, (f"the answer is {i}", f"surely {i + 50}"), (True, False)) for i in range(12)]
    found = {f.name: f for f in toy.run(review_queue(toy.task, cases, share=0.5), judge)}
    assert (found["conflict"].estimate, found["win"].estimate, found["tie"].estimate) == (0.5, 0.5, 0.5)
    assert {int(line.split(":")[0][1:]) % 2 for line in found["review"].detail["queue"]} == {0}
    (refused,) = toy.run(review_queue(toy.task, cases, judge="pairwise_judge"), lambda r: toy.said("hm"))
    assert "not measured" in refused.verdict
