"""Rows of a data file that hold answers with grades."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whetstone.core.errors import TaskError
from whetstone.core.types import Example, Json


def graded_answers(example: Example) -> list[tuple[str, float, str]]:
    """The `candidates` of a row, each with its number in `grades` and its text in `feedback` ("" where it has none).

    Raises TaskError that names the example: without the two columns, for columns that do not run parallel, and for a
    grade that is no number.
    """
    texts, grades = column(example, "candidates"), column(example, "grades")
    if texts is None or grades is None or len(texts) != len(grades):
        raise TaskError(f"{example.id}: needs the columns `candidates` and `grades`, one grade a candidate")
    said = column(example, "feedback") or [None] * len(texts)
    if len(said) != len(texts):
        raise TaskError(f"{example.id}: the column `feedback` needs one text a candidate")
    rows = zip(texts, grades, said, strict=True)
    return [(str(text), number(example, grade), str(told or "")) for text, grade, told in rows]


def column(example: Example, name: str) -> Sequence[Json] | None:
    """A column that holds a list; None without one."""
    values = example.meta.get(name)
    return values if isinstance(values, Sequence) and not isinstance(values, str) else None


def number(example: Example, grade: Json) -> float:
    """A grade that may stand there as text."""
    try:
        value = float(str(grade))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TaskError(f"{example.id}: the grade {grade!r} is not a number")
    return value
