"""The project's own rows: a verdict on two answers, or a score of one. See docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import RESULT, WORDS, Item, Record, Row, shown
from whetstone.tasks.columns import plain

NAME = "verdicts"
ALIASES: Mapping[str, tuple[str, ...]] = {"label": ("gold",), "prompt": ("group",)}
"""Field -> other names that it may have."""
NAMES = ("id", "judge", "prompt", "pair", "first", "second", "system", "metric", "category", "protocol")
LENGTHS = ("first_length", "second_length", "length", "tokens")
NUMBERS = ("turn", "repeat", "strength")
OTHER = ("question", "first_text", "second_text", "answer", "raw")
FLAGS = ("swapped", "both_bad")
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
ORDERS = {"1": False, "2": True, "given": False, "swapped": True}


def reads(head: Mapping[str, Any]) -> bool:
    return "verdict" in head or {"score", "system"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        yield _row(record, options)


def known_fields(record: Record, *, scored: bool = False) -> Row:
    """The fields of a row apart from the verdict or the score, by their names or other names.

    `scored`: the label is a score.

    Raises TaskError for a value that a field cannot have.
    """
    values = dict(record.values)
    for field, names in ALIASES.items():
        for name in names:
            other = values.pop(name, None)
            if values.get(field) is None and other is not None:
                values[field] = other
    if values.get("order") not in (None, ""):
        word = str(values["order"]).casefold()
        if word not in ORDERS:
            raise record.fault("order", f"{shown(values['order'])} is no order; it can be {', '.join(ORDERS)}")
        values["swapped"] = ORDERS[word]
    found: Row = {}
    for field, value in values.items():
        if value is None or value == "" or field in (*RESULT, "order") or value != value:  # NaN is how tables say None
            continue
        if field == "label":
            found[field] = _verdict(Record(record.place, {field: value}), field, scale=scored)
        else:
            check = CHECKS.get(field)
            found[field] = check(record, field, value) if check else plain(value)
    return found


def _row(record: Record, options: Options) -> Row:
    scored = _scored(record)
    found: Row = {"score": _number(record, "score")} if scored else {"verdict": _verdict(record, "verdict")}
    found |= known_fields(record, scored=scored)
    for role, name in options.names.items():
        if role == "judge" or (role == "system" and scored):
            found.setdefault(role, name)
    return found


def _scored(record: Record) -> bool:
    """A row of a table has the columns of both kinds, the other kind's empty."""
    has = {field for field in ("verdict", "score", "system") if record.values.get(field) not in (None, "")}
    if {"verdict", "score"} <= has:
        raise record.fault("score", "a row is a verdict on two answers or a score of one; split it into two rows")
    return "score" in has or "system" in has or "verdict" not in record.values


def _count(record: Record, field: str, value: Any) -> int | float | None:
    if type(value) is int and value >= 0:
        return value
    return Record(record.place, {field: _number(Record(record.place, {field: value}), field)}).count(field)


def _flag(record: Record, field: str, value: Any) -> bool:
    word = str(value).casefold()
    if word not in BOOLEANS:
        raise record.fault(field, f"{shown(value)} is neither true nor false")
    return BOOLEANS[word]


def _text(record: Record, field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise record.fault(field, f"{shown(value)} is not a text")
    return value


def _verdict(record: Record, field: str, *, scale: bool = False) -> str | float | None:
    """A word or a probability; on a `scale` of scores any number."""
    value = record.values.get(field)
    if isinstance(value, str) and value in WORDS and not scale:
        return value
    number = _number(record, field)
    if number is not None and not scale and not 0 <= number <= 1:
        raise record.fault(field, f"{number:g} is not between 0 and 1; it can also be {', '.join(WORDS)} or null")
    return number


def _number(record: Record, field: str) -> float | None:
    """A number, also written as text (CSV); None where there is none."""
    value = record.values.get(field)
    if value is None:
        return None
    if isinstance(value, str) and value.strip():
        try:
            return Record(record.place, {field: float(value)}).number(field)
        except ValueError:
            known = f"; it can be {', '.join(WORDS)}, a number or null" if field in ("verdict", "label") else ""
            raise record.fault(field, f"{shown(value)} is not a number{known}") from None
    return None if value == "" else record.number(field)


CHECKS: Mapping[str, Callable[[Record, str, Any], Any]] = {
    **dict.fromkeys(NAMES, lambda record, field, value: record.name(value, field)),
    **dict.fromkeys((*LENGTHS, *NUMBERS), _count),
    **dict.fromkeys(FLAGS, _flag),
    **dict.fromkeys(OTHER, _text),
}
"""Field -> what its value must be; fields of the user's own may be anything."""
