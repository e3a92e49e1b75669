"""EvalBiasBench: pairs with an attractive wrong answer (Park et al., 2024), under a judge that likes length."""

from __future__ import annotations

import json

import numpy as np
import pytest

from whetstone.audits.recorded import Verdicts, audit_verdicts

SIZES = {
    "length bias": 17,
    "concreteness": 14,
    "empty reference": 13,
    "content_continuation": 12,
    "nested_instruction": 12,
    "familiar knowledge preference bias": 12,
}


@pytest.fixture(scope="module")
def pairs(recorded):
    return json.loads((recorded("evalbiasbench") / "biasbench.json").read_text(encoding="utf-8"))


def test_format(pairs) -> None:
    assert {name: len(rows) for name, rows in pairs.items()} == SIZES
    assert {row["label"] for rows in pairs.values() for row in rows} == {1}


def test_a_judge_that_likes_length_fails_on_length_bias(pairs) -> None:
    accuracy = {}
    for name, rows in pairs.items():
        lengths = np.array([[len(row["response1"]), len(row["response2"])] for row in rows], float)
        chosen = (np.sign(lengths[:, 0] - lengths[:, 1]) + 1) / 2
        found = {f.name: f for f in audit_verdicts(Verdicts(chosen, gold=np.ones(len(rows)), lengths=lengths))}
        accuracy[name] = found["accuracy"].estimate
    assert accuracy["length bias"] == 0
    assert min(accuracy, key=accuracy.__getitem__) == "length bias"
    assert max(accuracy.values()) < 0.5, "every kind of bias here has the longer answer wrong more often than right"
