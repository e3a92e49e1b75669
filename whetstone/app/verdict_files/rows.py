"""One verdict or one score as a row, and the checks that every format shares.

A verdict's row has the fields that `audits.rows.verdicts_of` reads; a score's row has `score` and `system` instead of
`verdict`, `first` and `second`. Fields without a value are left out, except `verdict` and `score`, whose None says that
a judge was asked and could not be understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from sys import intern
from typing import Any

from whetstone.app.cells import number as finite
from whetstone.core.errors import TaskError

Row = dict[str, Any]

WORDS = ("first", "second", "tie")
HALF = re.compile("[\ud800-\udfff]")
"""Half of a pair of UTF-16, which no file can hold as text."""
RESULT = ("verdict", "score")
TEXTS = ("question", "first_text", "second_text", "answer", "raw")
"""Fields that hold long texts."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record, or a part of one, that gives no row, and why."""

    reason: str


Item = Row | Dropped


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file and where it stands."""

    place: str
    values: Mapping[str, Any]

    def fault(self, field: str, what: str) -> TaskError:
        """The error that names the place and the field."""
        return TaskError(f"{self.place}: {field}: {what}")

    def text(self, field: str) -> str:
        """A field that must hold a text that is not empty."""
        return self.name(self.values.get(field), field)

    def name(self, value: Any, field: str) -> str:
        """A value as a name: a text, or a number as text."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value or value.isspace():
            raise self.fault(field, f"{shown(value)} is not a name; every record needs one")
        if not value.isascii() and HALF.search(value):
            raise self.fault(field, f"{shown(value)} holds half a character; save the file as UTF-8")
        return intern(value)

    def optional(self, field: str) -> str | None:
        """A field that may be absent or null."""
        value = self.values.get(field)
        return None if value is None or value == "" else self.name(value, field)

    def number(self, field: str) -> float | None:
        """A finite number, None where there is none (absent, null or NaN)."""
        value = self.values.get(field)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        found = finite(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        if found is None:
            raise self.fault(field, f"{shown(value)} is not a finite number")
        return found

    def count(self, field: str) -> int | float | None:
        """A number from 0 up, whole where it is."""
        number = self.number(field)
        if number is not None and number < 0:
            raise self.fault(field, f"{number:g} is below 0")
        return int(number) if number is not None and number.is_integer() else number

    def inner(self, field: str) -> Mapping[str, Any]:
        """A field that must hold an object."""
        value = self.values.get(field)
        if not isinstance(value, Mapping):
            raise self.fault(field, f"{shown(value)} is not an object")
        return value

    def listed(self, field: str) -> list[Any]:
        """A field that must hold a list."""
        value = self.values.get(field)
        if not isinstance(value, list):
            raise self.fault(field, f"{shown(value)} is not a list")
        return value

    def part(self, values: Any, name: str) -> Record:
        """An object inside this record."""
        if not isinstance(values, Mapping):
            raise self.fault(name, f"{shown(values)} is not an object")
        return Record(f"{self.place}, {name}", values)


def row(**fields: Any) -> Row:
    """A row without the fields that have no value; `verdict` and `score` stay.

    A text that is no text and a count that is none are left out: no audit needs them, and a tool may write anything.
    """
    return {name: value for name, value in fields.items() if name in RESULT or _usable(name, value)}


def _usable(name: str, value: Any) -> bool:
    if name in TEXTS:
        return isinstance(value, str) and value != ""
    if name == "tokens":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value is not None


def size(text: Any) -> int | None:
    """Length in characters, None of what is no text."""
    return len(text) if isinstance(text, str) else None


def digest(text: str) -> str:
    """A short name for a question that has no id: equal for equal texts."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def shown(value: Any) -> str:
    """A value for a message: one line, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
