"""A learning rate of 0 is a rate: no loop takes its default instead."""

from __future__ import annotations

import pytest

from whetstone.loops.djpo import djpo
from whetstone.loops.j1 import j1
from whetstone.loops.judge_sft import judge_sft
from whetstone.loops.rise import rise
from whetstone.loops.self_j import self_j
from whetstone.loops.self_rationalization import self_rationalization
from whetstone.loops.self_taught_evaluator import self_taught_evaluator

DPO = {"lr": 0.0, "dpo_lr": 0.0}
TAUGHT = {"explained": True, "dpo": True, **DPO}


@pytest.mark.parametrize(
    ("loop", "settings"),
    [
        (judge_sft, {"source": "rows", "lr": 0.0}),
        (rise, {"source": "rows", "warm_up": 8, **DPO}),
        (djpo, {"source": "rows", "protocol": "pairwise", **DPO}),
        (self_rationalization, {"source": "rows", "warm_up": 8, "rounds": 1, **DPO}),
        (j1, {"source": "rows", "steps": 1, "batch": 8, "lr": 0.0, "rl_lr": 0.0}),
        (self_taught_evaluator, {"source": "rows", "similar": "model", "warm_up": 16, "rounds": 2, **TAUGHT}),
        (self_j, {"lr": 0.0}),
    ],
)
def test_no_weight_moves_at_a_rate_of_zero(novice, signs, drive_on, loop, settings):
    before = novice.fingerprint
    rounds = list(loop(novice, signs(), drive_on(novice), questions=8, k=4, temperature=1.0, monitor=4, **settings))
    assert rounds[-1].kept > 0, "there was something to train on"
    assert novice.fingerprint == before
