"""What the values of a winner column mean: 1 left won, -1 right won, 0 a tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking.tables import Column

TIES = ("tie", "draw", "equal")
BOTH_BAD = ("tie (bothbad)", "tie (both bad)", "both_bad", "bothbad", "both bad")
CONVENTIONS: Mapping[str, Mapping[str, int]] = {
    "model_a/model_b": {"model_a": 1, "model_b": -1},
    "left/right": {"left": 1, "right": -1},
    "a/b": {"a": 1, "b": -1},
    "model_x/model_y": {"model_x": 1, "model_y": -1},
    "model_1/model_2": {"model_1": 1, "model_2": -1},
    "1/0/0.5": {"1": 1, "0": -1, "0.5": 0},
}
"""Conventions by name; in each of them the words of `TIES` and `BOTH_BAD` are ties."""
SIGNS: Mapping[str, int] = {"1": 1, "-1": -1, "0": 0}
"""What a column called "outcome" holds."""


def outcomes(
    column: Column, left: Column, right: Column, *, name: str, drop_both_bad: bool = False
) -> tuple[NDArray[np.int8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Read a winner column by the one convention that its values follow.

    Args:
        left, right: the two systems of each row, encoded in one list of labels; a winner may be called by its name.
        name: the column's name, for messages; "outcome" holds 1, -1 or 0.

    Returns:
        [n] outcomes; [n] is the winner missing? [n] is the row one of "both bad" that should be dropped?

    Raises:
        TaskError: a value that means nothing, or two conventions in one column, by row.
    """
    words = [word(label) for label in column.labels]
    bad = np.zeros(len(column.codes), dtype=bool)
    if drop_both_bad:
        bad = np.array([*(w in BOTH_BAD for w in words), False])[column.codes]
    neutral = {w for w in words if w in TIES or w in BOTH_BAD}
    if name == "outcome" and set(words) <= {*SIGNS, *neutral}:
        known: Mapping[str, int] = SIGNS
    else:
        known = _convention(column, words, neutral, left.labels, name)
    missing = column.codes < 0
    if known:
        table = np.array([*(known.get(w, 0) for w in words), 0], dtype=np.int8)
        # -1, where there is no winner, is the last.
        found = np.take(table, column.codes, mode="wrap")
    else:
        found = _by_name(column, words, neutral, left, right, name)
    return found, missing, bad


def word(value: Any) -> str:
    """A value as these conventions write it: lower case, numbers without trailing zeros."""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value).strip().casefold()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _convention(
    column: Column, words: Sequence[str], neutral: set[str], names: Sequence[Any], name: str
) -> Mapping[str, int]:
    """The convention that all values follow; empty when winners are called by their names."""
    decided = set(words) - neutral
    for convention in CONVENTIONS.values():
        if decided <= convention.keys():
            return convention
    called = {word(label) for label in names}
    if decided <= called:
        return {}
    first: tuple[int, str] | None = None
    for code, label in enumerate(words):
        if label in neutral:
            continue
        follows = next((title for title, known in CONVENTIONS.items() if label in known), None)
        follows = follows or ("names of systems" if label in called else None)
        row = column.row_of(code)
        if follows is None:
            raise TaskError(
                f"row {row}, column {name}: {column.labels[code]!r} is no winner; it can be model_a, model_b, left, "
                "right, a, b, 1, 0, 0.5, the name of one of the two, tie or tie (bothbad)"
            )
        if first is not None and follows != first[1]:
            raise TaskError(
                f"row {row}, column {name}: {column.labels[code]!r} ({follows}) where row {first[0]} follows "
                f"{first[1]}; write winners in one way"
            )
        first = first or (row, follows)
    raise AssertionError("values that follow one convention were accepted above")


def _by_name(
    column: Column, words: Sequence[str], neutral: set[str], left: Column, right: Column, name: str
) -> NDArray[np.int8]:
    code_of = {word(label): code for code, label in enumerate(left.labels)}
    winner = np.array([*(-2 if w in neutral else code_of[w] for w in words), -2])[column.codes]
    found: NDArray[np.int8] = np.subtract(winner == left.codes, winner == right.codes, dtype=np.int8)
    astray = (winner >= 0) & (found == 0) & (left.codes != right.codes)
    if astray.any():
        row = int(np.argmax(astray))
        raise TaskError(
            f"row {row + 1}, column {name}: {column.labels[column.codes[row]]!r} won a comparison of "
            f"{left.labels[left.codes[row]]!r} and {right.labels[right.codes[row]]!r}"
        )
    return found
