"""Rows of a verdict file as columns."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.recorded import audit_verdicts
from whetstone.audits.rows import verdicts_of
from whetstone.core.errors import TaskError

ROWS = [
    {"prompt": "p", "first": "a", "second": "b", "verdict": "first", "label": "first", "judge": "j"},
    {"prompt": "p", "first": "b", "second": "a", "verdict": "tie", "label": "second", "judge": "j"},
    {"prompt": "q", "first": "b", "second": "a", "verdict": None, "label": None, "judge": "j"},
    {"prompt": "q", "first": "b", "second": "a", "verdict": 0.25, "judge": "k"},
]


def test_pairs_orders_and_judges_are_told_apart() -> None:
    columns = verdicts_of(ROWS)
    assert set(columns) == {"j", "k"}
    j = columns["j"]
    assert j.chosen.tolist()[:2] == [1, 0.5]
    assert np.isnan(j.chosen[2])
    assert (j.pair.tolist(), j.swapped.tolist()) == ([0, 0, 1], [False, True, False])
    assert (j.names, j.sources.tolist()) == (("a", "b"), [[0, 1], [1, 0], [1, 0]])
    assert j.gold[:2].tolist() == [1, 0]
    assert j.groups.tolist() == [0, 0, 1]
    assert j.lengths is columns["k"].gold is None
    names = {f.name for f in audit_verdicts(j, own="a")}
    assert {"accuracy", "first_position", "order_consistency", "self_preference"} <= names


def test_named_pairs_and_bare_rows() -> None:
    named = verdicts_of([{"pair": 1, "verdict": "first"}, {"pair": 1, "verdict": "second", "swapped": True}])["judge"]
    found = {f.name: f.estimate for f in audit_verdicts(named)}
    assert (found["order_consistency"], found["first_position"]) == (1, 0.5)
    bare = verdicts_of([{"verdict": "first", "first_length": 9, "second_length": 3}] * 2)["judge"]
    assert bare.pair.tolist() == [0, 1]
    assert {f.name: f.estimate for f in audit_verdicts(bare)}["longer_answer"] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"verdict": "A"}, "row 2: verdict is 'A'; it can be first, second, tie"),
        ({}, "row 2: no verdict"),
        ({"verdict": "tie", "label": 3}, "row 2: label is 3"),
        ({"verdict": "tie", "swapped": "no"}, "row 2: swapped is 'no'"),
        ({"verdict": 1, "first_length": "long", "second_length": 2}, "first_length is 'long'"),
    ],
)
def test_says_which_row_and_field_is_wrong(row, message) -> None:
    good = {"verdict": "first"} | ({"first_length": 1, "second_length": 2} if "first_length" in row else {})
    with pytest.raises(TaskError, match=message):
        verdicts_of([good, row])
