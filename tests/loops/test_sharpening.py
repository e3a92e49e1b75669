"""Sharpening: one greedy answer becomes as likely, under the base, as the best of many."""

from __future__ import annotations

import math

import pytest

from whetstone.core.types import Candidate, Example, Generation, user
from whetstone.loops._rollout import Group
from whetstone.loops.sharpening import contrast, coverage, imitate, sharpening

SETTINGS = {"questions": 150, "tokens_per_batch": 256, "monitor": 32}


@pytest.mark.parametrize("mode", ["sft", "rlhf"])
def test_greedy_reward_rises_to_that_of_best_of_n(tiny, largest, drive_on, mode):
    lr = {"sft": 1e-2, "rlhf": 3e-3}[mode]
    (only,) = sharpening(tiny, largest(blind=True), drive_on(tiny), mode=mode, lr=lr, **SETTINGS)
    reached, target = only.metrics["greedy_reward"], only.metrics["best_of_k_reward"]
    assert reached.estimate > target.estimate - 0.1
    assert reached.estimate >= only.metrics["before/greedy_reward"].estimate - 0.1
    assert only.metrics["agreement"].estimate > only.metrics["train/agreement"].estimate + 0.05
    assert len(only.metrics["log_coverage"].detail["per_question"]) == 32


def test_best_sample_and_reward_gaps_by_hand():
    from random import Random

    candidates = tuple(Candidate(str(i), Generation(t)) for i, t in enumerate(("a", "b", "b")))
    group = Group(Example("q", user("?")), candidates, ("a", "b", "b"), (None,) * 3)
    same = Group(Example("p", user("?")), candidates[1:], ("b", "b"), (None,) * 2)
    values = [[-1.0, -3.0, -3.0], [-2.0, -2.0]]
    assert [item.completion for item in imitate([group, same], values)] == ["a", "b"]
    (pair,) = contrast([group, same], values, Random(0))
    assert (pair.chosen, pair.rejected, pair.gap) == ("a", "b", 2.0)
    found = coverage(values)
    assert found.estimate == pytest.approx(1.5)
    assert found.detail["coverage"] == pytest.approx((math.e + math.e**2) / 2)
