"""The project's own rows: a verdict on two answers, or a score of one. See docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import WORDS, Item, Record, Row, shown

NAME = "verdicts"
ALIASES: Mapping[str, tuple[str, ...]] = {"label": ("gold",), "prompt": ("group",)}
"""Field -> other names that it may have."""
NAMES = ("id", "judge", "prompt", "pair", "first", "second", "system", "metric", "category", "protocol")
LENGTHS = ("first_length", "second_length", "length", "tokens")
NUMBERS = ("turn", "strength")
OTHER = ("question", "first_text", "second_text", "answer", "raw")
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
ORDERS = {"1": False, "2": True, "given": False, "swapped": True}


def reads(head: Mapping[str, Any]) -> bool:
    return "verdict" in head or {"score", "system"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        yield _row(record, options)


def _row(record: Record, options: Options) -> Row:
    values = dict(record.values)
    for field, names in ALIASES.items():
        for name in names:
            if name in values:
                values.setdefault(field, values[name])
                del values[name]
    record = Record(record.place, values)
    scored = "verdict" not in values
    found: Row = {"score": _number(record, "score")} if scored else {"verdict": _verdict(record, "verdict")}
    label = _number(record, "label") if scored else _verdict(record, "label")
    if label is not None:
        found["label"] = label
    if "order" in values and values["order"] is not None:
        word = str(values["order"]).casefold()
        if word not in ORDERS:
            raise record.fault("order", f"{shown(values['order'])} is no order; it can be {', '.join(ORDERS)}")
        found["swapped"] = ORDERS[word]
    for field, value in values.items():
        if value is None or value == "" or field in ("verdict", "score", "label", "order"):
            continue
        found[field] = _value(record, field, value)
    for role, name in options.names.items():
        if role == "judge" or (role == "system" and scored):
            found.setdefault(role, name)
    return found


def _value(record: Record, field: str, value: Any) -> Any:
    if field in NAMES:
        return record.name(value, field)
    if field in LENGTHS or field in NUMBERS:
        number = _number(record, field)
        if number is not None and number < 0:
            raise record.fault(field, f"{number:g} is below 0")
        return number
    if field in ("swapped", "both_bad"):
        word = str(value).casefold()
        if word not in BOOLEANS:
            raise record.fault(field, f"{shown(value)} is neither true nor false")
        return BOOLEANS[word]
    if field in OTHER and not isinstance(value, str):
        raise record.fault(field, f"{shown(value)} is not a text")
    return value


def _verdict(record: Record, field: str) -> str | float | None:
    value = record.values.get(field)
    if isinstance(value, str) and value in WORDS:
        return value
    number = _number(record, field)
    if number is not None and not 0 <= number <= 1:
        raise record.fault(field, f"{number:g} is not between 0 and 1; it can also be {', '.join(WORDS)} or null")
    return number


def _number(record: Record, field: str) -> float | None:
    """A number, also written as text (CSV); None where there is none."""
    value = record.values.get(field)
    if isinstance(value, str) and value.strip():
        try:
            return Record(record.place, {field: float(value)}).number(field)
        except ValueError:
            known = f"; it can be {', '.join(WORDS)}, a number or null" if field in ("verdict", "label") else ""
            raise record.fault(field, f"{shown(value)} is not a number{known}") from None
    return None if value == "" else record.number(field)
