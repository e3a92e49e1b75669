"""AlpacaEval's annotations.json: a preference from 1 (output_1) to 2 (output_2) an instruction.

Which output the judge saw first was shuffled and is not recorded, so `first` is output_1 and no order can be audited.
A preference of 0 is how older versions wrote a draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import Dropped, Item, Record, digest, row, shown, size

NAME = "alpaca_eval"


def reads(head: Mapping[str, Any]) -> bool:
    return {"instruction", "output_1", "output_2", "preference"} <= head.keys()


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        asked = record.values.get("instruction")
        if not isinstance(asked, str):
            raise record.fault("instruction", f"{shown(asked)} is not a text")
        preference = record.number("preference")
        if preference is not None and not (preference == 0 or 1 <= preference <= 2):
            raise record.fault("preference", f"{preference:g} is not between 1 (output_1) and 2 (output_2)")
        first = record.optional("generator_1") or options.baseline or "output_1"
        second = record.optional("generator_2") or options.system or "output_2"
        if first == second:
            yield Dropped("a system compared with itself")
            continue
        yield row(
            judge=record.optional("annotator") or options.judge or None,
            prompt=digest(asked),
            category=record.optional("dataset"),
            first=first,
            second=second,
            verdict=None if preference is None else 0.5 if preference == 0 else round(2 - preference, 12),
            first_length=size(record.values.get("output_1")),
            second_length=size(record.values.get("output_2")),
            raw=_completion(record.values.get("raw_completion")),
            question=asked,
            first_text=record.values.get("output_1"),
            second_text=record.values.get("output_2"),
        )


def _completion(raw: Any) -> str | None:
    """The text of a raw completion, which is a text or a choice of a chat completion."""
    if isinstance(raw, Mapping):
        message = raw.get("message")
        raw = message.get("content") if isinstance(message, Mapping) else raw.get("text")
    return raw if isinstance(raw, str) else None
