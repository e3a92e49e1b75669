"""Encoding and counting comparisons; what cannot be right is named by row and column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Comparisons, Rankings, count, tally


def codes(*values: int) -> np.ndarray:
    return np.array(values)


def test_labels_are_encoded_once_and_sorted() -> None:
    made = Comparisons.from_labels(
        ["b", "c"], ["a", "b"], [1, 0], group=["q2", "q1"], judge=["y", "x"], weight=[1, 2], left_first=[True, False]
    )
    assert made.names == ("a", "b", "c")
    assert made.left.tolist() == [1, 2]
    assert made.right.tolist() == [0, 1]
    assert made.group is not None
    assert made.group.tolist() == [1, 0]
    assert made.judges == ("x", "y")
    assert made.judge is not None
    assert made.judge.tolist() == [1, 0]
    kept = made.take(codes(1))
    assert (len(kept), kept.left.tolist(), kept.names) == (1, [2], made.names)


def test_counts_hold_wins_ties_and_squared_weights() -> None:
    left, right, outcome = ["a", "b", "a", "a", "b"], ["b", "a", "b", "c", "c"], [1, 1, 0, -1, 0]
    plain = count(Comparisons.from_labels(left, right, outcome))
    assert plain.wins.tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert plain.ties.tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert plain.points[0].tolist() == [0, 1.5, 0]
    assert plain.matches[0].tolist() == [0, 3, 1]
    assert plain.squared_wins is plain.wins
    weighted = count(Comparisons.from_labels(left, right, outcome, weight=[2, 3, 0.5, 0, 1]))
    assert weighted.wins[0, 1] == 2
    assert weighted.squared_wins[1, 0] == 9
    assert weighted.squared_ties[0, 1] == 0.25
    assert weighted.n == 4


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32, np.int64])
def test_counting_in_pieces_is_counting(kind: Any) -> None:
    rng = np.random.default_rng(0)
    n, k = 100_000, 100
    left = rng.integers(0, k, n).astype(kind)
    right = ((left.astype(int) + rng.integers(1, k, n)) % k).astype(kind)
    outcome = rng.integers(-1, 2, n).astype(np.int8)
    weight = rng.random(n)
    made = Comparisons(tuple(map(str, range(k))), left, right, outcome, weight)
    whole = np.zeros((k, k, 3))
    np.add.at(whole, (left.astype(int), right.astype(int), outcome + 1), weight)
    np.testing.assert_allclose(tally(made, weight), whole, rtol=1e-12)
    assert tally(made).sum() == n


FAULTS: dict[str, tuple[Mapping[str, Any], str]] = {
    "self-match": (
        {"left": codes(0, 1), "right": codes(1, 1), "outcome": codes(1, 1)},
        "row 2: 'b' is compared with itself",
    ),
    "code": ({"left": codes(0, 2), "right": codes(1, 1), "outcome": codes(1, 1)}, "row 2, column left: 2 is not a"),
    "outcome": ({"left": codes(0), "right": codes(1), "outcome": codes(2)}, "row 1, column outcome: 2 is not a"),
    "kind": ({"left": codes(0), "right": codes(1), "outcome": np.array([0.5])}, "column outcome: codes are float64"),
    "empty": ({"left": codes(), "right": codes(), "outcome": codes()}, "nothing to rank"),
    "lengths": ({"left": codes(0, 1), "right": codes(1), "outcome": codes(1)}, r"right has the shape \(1,\)"),
    "one": ({"names": ("a",), "left": codes(0), "right": codes(0), "outcome": codes(1)}, "only one system"),
    "twice": ({"names": ("a", "a"), "left": codes(0), "right": codes(1), "outcome": codes(1)}, "'a' twice"),
    "nan": (
        {"left": codes(0, 0), "right": codes(1, 1), "outcome": codes(1, 1), "weight": np.array([1, np.nan])},
        "row 2, column weight: nan",
    ),
    "negative": (
        {"left": codes(0), "right": codes(1), "outcome": codes(1), "weight": np.array([-1.0])},
        "row 1, column weight: -1",
    ),
    "weightless": (
        {"left": codes(0), "right": codes(1), "outcome": codes(1), "weight": np.array([0.0])},
        "all weights",
    ),
    "judge": (
        {"left": codes(0), "right": codes(1), "outcome": codes(1), "judge": codes(3), "judges": ("x",)},
        "row 1, column judge: 3",
    ),
}


@pytest.mark.parametrize(("columns", "message"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_right_is_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Comparisons(**{"names": ("a", "b"), **columns})


def test_labels_that_do_not_fit_are_named() -> None:
    with pytest.raises(TaskError, match="row 2, column right: 'z'"):
        Comparisons.from_labels(["a", "a"], ["b", "z"], [1, 1], names=["a", "b"])
    with pytest.raises(TaskError, match="2 names at the left and 1 at the right"):
        Comparisons.from_labels(["a", "a"], ["b"], [1, 1])


def test_rankings_imply_pairs() -> None:
    order = np.array([[0, 2, -1], [2, 1, 0]])
    tied = np.array([[False, True, False], [False, False, True]])
    pairs = Rankings(("a", "b", "c"), order, tied).pairs()
    found = [
        (pairs.names[i], pairs.names[j], int(o), int(g))
        for i, j, o, g in zip(pairs.left, pairs.right, pairs.outcome, pairs.group, strict=True)
    ]
    assert found == [("a", "c", 0, 0), ("c", "b", 1, 1), ("c", "a", 1, 1), ("b", "a", 0, 1)]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([[0, 1], [1, 1]], "row 2: a system stands there twice"),
        ([[0, -1]], "row 1: fewer than two"),
        ([[-1, 0]], "row 1: a place after an empty one"),
        ([[0, 1], [0, 5]], "row 2, column order: 5 is not a code"),
    ],
)
def test_rankings_that_cannot_be_right_are_named(order: list[list[int]], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Rankings(("a", "b", "c"), np.array(order))
