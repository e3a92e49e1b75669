"""Recorded verdicts from columns of a file: what `rows` describes, a million rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from whetstone.audits.recorded import Codes, Floats, Verdicts
from whetstone.core.errors import TaskError
from whetstone.ranking.tables import Column

SHARES = {"first": 1.0, "second": 0.0, "tie": 0.5}
KNOWN = "first, second, tie, a number from 0 to 1, or null"
SPACES: Mapping[str, str] = {
    **{name: name for name in ("verdict", "label", "probability", "prompt", "pair", "swapped", "judge", "category")},
    **{"first": "source", "second": "source", "first_length": "length", "second_length": "length"},
}
"""The fields of a row, each with the list of labels that it is encoded in."""
TRUTH = {"true": True, "false": False}

Table = Mapping[str, Column]


@dataclass(frozen=True, eq=False)
class Judged:
    """One judge's verdicts, and the category of each row where there is one.

    Attributes:
        category: [n] indices of `categories`, -1 where a row has none; None where no row has one.
        probability: [n] that the first answer is the better one, as the judge states it beside its verdict; NaN where
            it does not.
    """

    verdicts: Verdicts
    category: Codes | None = None
    categories: tuple[str, ...] = ()
    probability: Floats | None = None


class Encoder:
    """Takes rows one at a time and holds some of their fields as codes."""

    def __init__(self, spaces: Mapping[str, str] = SPACES) -> None:
        self.spaces = spaces
        self.indices: dict[str, dict[Any, int]] = {space: {} for space in spaces.values()}
        self.found: dict[str, list[int]] = {name: [] for name in spaces}
        self.encoders = [(name, self.found[name].append, self.indices[space]) for name, space in spaces.items()]

    def add(self, row: Mapping[str, Any]) -> None:
        """Encode one row."""
        for name, append, index in self.encoders:
            value = row.get(name)
            append(-1 if value is None else index.setdefault(_key(value), len(index)))

    def columns(self) -> dict[str, Column]:
        """The fields that a row has a value for."""
        labels = {space: [_value(key) for key in index] for space, index in self.indices.items()}
        columns = {name: np.array(codes, dtype=np.int32) for name, codes in self.found.items()}
        return {name: Column(labels[self.spaces[name]], c) for name, c in columns.items() if (c >= 0).any()}


def judged(table: Table) -> dict[str, Judged]:
    """Each judge's columns; rows without a judge are one judge's, named "judge".

    Args:
        table: field of `SPACES` -> column. Fields of one space share their labels.

    Raises:
        TaskError: a value that cannot be, by row (from 1) and field.
    """
    if not table:
        return {}
    n = len(next(iter(table.values())).codes)
    values = {name: numbers(table, name, read, f"can be {known}") for name, (read, known) in NUMBERS.items()}
    columns = {name: column.codes.astype(np.intp) for name, column in table.items()}
    found = {}
    for name, own in rows_by_judge(table, n).items():
        codes = {field: column[own] for field, column in columns.items()}
        given = {field: column[own] for field, column in values.items() if column is not None}
        category = codes.get("category")
        known = category is not None and bool((category >= 0).any())
        found[name] = Judged(
            _verdicts(codes, given, table["first"].labels if "first" in table else ()),
            category if known else None,
            tuple(map(str, table["category"].labels)) if known else (),
            given.get("probability"),
        )
    return found


def rows_by_judge(table: Table, n: int) -> dict[str, Codes]:
    """Which of n rows are each judge's; those without a judge are that of one called "judge"."""
    if "judge" not in table:
        return {"judge": np.arange(n)}
    column, codes = table["judge"], dict[str, list[int]]()
    for code in np.unique(column.codes).tolist():
        codes.setdefault("judge" if code < 0 else str(column.labels[code]), []).append(code)
    return {name: np.flatnonzero(np.isin(column.codes, own)) for name, own in codes.items()}


def _verdicts(codes: Mapping[str, Codes], given: Mapping[str, Floats], sources: Sequence[Any]) -> Verdicts:
    """One judge's verdicts from its part of the columns: their codes, their values as numbers, labels of sources."""
    n = len(next(iter(codes.values())))
    gold, swapped = given.get("label"), given.get("swapped")
    prompt, first, second = (_whole(codes.get(name)) for name in ("prompt", "first", "second"))
    pair = np.arange(n)
    if prompt is not None and first is not None and second is not None:
        low, high, k = np.minimum(first, second), np.maximum(first, second), int(max(first.max(), second.max())) + 1
        pair = np.unique(prompt * k * k + low * k + high, return_inverse=True)[1]
    if "pair" in codes:
        named = codes["pair"]
        pair = np.where(named >= 0, named, int(named.max(initial=-1)) + 1 + pair)
    _, at, pair = np.unique(pair, return_index=True, return_inverse=True)
    told = first if first is not None else np.zeros(n, np.intp)
    turned = told != told[at][pair]
    if swapped is not None:
        turned = np.where(np.isnan(swapped), turned, swapped == 1)
    lengths, shown = None, None
    names: tuple[str, ...] = ()
    if "first_length" in given and "second_length" in given:
        lengths = np.column_stack([given["first_length"], given["second_length"]])
    if first is not None and second is not None:
        there, shown = np.unique(np.column_stack([first, second]), return_inverse=True)
        names = tuple(str(sources[code]) for code in there)
    return Verdicts(
        given.get("verdict", np.full(n, np.nan)),
        pair,
        turned,
        None if gold is None or np.isnan(gold).all() else gold,
        None if lengths is None or np.isnan(lengths).any() else lengths,
        None if shown is None else shown.reshape(n, 2),
        names,
        pair if prompt is None else prompt,
    )


def _whole(codes: Codes | None) -> Codes | None:
    """The codes if every row has a value."""
    return None if codes is None or bool((codes < 0).any()) else codes


def numbers(
    table: Table, name: str, read: Callable[[Any], float | None], allowed: str = "must be a number"
) -> Floats | None:
    """A column's values as numbers, NaN where there is none; None for a column that is not there.

    Args:
        read: a value's number; None for a value that cannot be.
        allowed: what a value "can be" or "must be", for the TaskError that names the row and one that cannot be.
    """
    column = table.get(name)
    if column is None:
        return None
    values = np.full(len(column.labels) + 1, np.nan)
    used = np.zeros(len(values), bool)
    used[column.codes] = True
    for code in np.flatnonzero(used[:-1]).tolist():
        value = read(column.labels[code])
        if value is None:
            raise TaskError(f"row {column.row_of(code)}: {name} is {column.labels[code]!r}; it {allowed}")
        values[code] = value
    return np.asarray(values[column.codes])


def _share(value: Any) -> float | None:
    return SHARES[value] if isinstance(value, str) and value in SHARES else _probability(value)


def _probability(value: Any) -> float | None:
    found = _number(value)
    return found if found is not None and 0 <= found <= 1 else None


def _length(value: Any) -> float | None:
    found = _number(value)
    return found if found is not None and 0 <= found < float("inf") else None


def _flag(value: Any) -> float | None:
    if isinstance(value, str):
        value = TRUTH.get(value.strip().lower())
    return float(value) if isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _key(value: Any) -> Any:
    """A key that tells true from 1."""
    return (bool, value) if isinstance(value, bool) else value if isinstance(value, (str, int, float)) else repr(value)


def _value(key: Any) -> Any:
    return key[1] if isinstance(key, tuple) else key


LENGTH = (_length, "a number from 0 up")
NUMBERS: Mapping[str, tuple[Callable[[Any], float | None], str]] = {
    "verdict": (_share, KNOWN),
    "label": (_share, KNOWN),
    "first_length": LENGTH,
    "second_length": LENGTH,
    "swapped": (_flag, "true or false"),
    "probability": (_probability, "a number from 0 to 1"),
}
"""The fields that are numbers: how each is read, and what it can be."""
