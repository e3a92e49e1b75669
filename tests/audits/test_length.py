"""Length bias."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.evaluating import Pair
from whetstone.audits.length import length, length_bias
from whetstone.core.types import Verdict


def audit(toy, seed: int, n: int, p: float):
    """A judge that takes the longer answer with probability p."""
    rng = Random(seed)
    pairs = [Pair(toy.question(i), *toy.candidates("short", "much longer"), (True, True)) for i in range(n)]
    return length_bias(pairs, [Verdict(("c0", "c1"), "c1" if rng.random() < p else "c0") for _ in pairs])


def test_finds_the_planted_bias_and_none_in_fair_judges(toy) -> None:
    for p, verdict in ((0.7, "prefers longer answers"), (0.3, "prefers shorter answers")):
        finding = audit(toy, 1, 300, p)
        assert finding.estimate == pytest.approx(p, abs=0.06)
        assert finding.interval[0] < p < finding.interval[1]
        assert finding.verdict == verdict
    accused = sum(audit(toy, seed, 60, 0.5).p < 0.05 for seed in range(200))
    assert accused <= 19, "at most the 99.9 % quantile of 200 tests at .05"


def test_only_equally_good_pairs_are_asked(toy) -> None:
    """A judge of correctness is not accused for preferring long answers that are right."""
    cases = [toy.case(i, ("no", "much longer", "nope"), (False, True, False)) for i in range(5)]
    flow = length(toy.task, cases)
    assert {toy.asked(request)[1]["first"] for request in next(flow)} == {"no", "nope"}


def test_a_signal_can_be_audited_too(toy) -> None:
    cases = [toy.case(i, ("short", "much longer"), (None, None)) for i in range(8)]
    (finding,) = toy.run(length(toy.task, cases, evaluator="answer_length"))
    assert (finding.estimate, finding.p, finding.detail["unlabelled"]) == (1, pytest.approx(2 / 2**8), 8)
