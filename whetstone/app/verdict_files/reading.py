"""Recognising a file by its first record, and reading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, Unpack

from whetstone.app.verdict_files import (
    alpaca_eval,
    arena,
    arena_hard,
    deepeval,
    inspect_logs,
    llmbar,
    lm_eval,
    mt_bench,
    openai_batch,
    own,
    promptfoo,
)
from whetstone.app.verdict_files.options import Given, Options
from whetstone.app.verdict_files.rows import TEXTS, Dropped, Record, Row
from whetstone.app.verdict_files.sources import read_records
from whetstone.core.errors import ConfigError, TaskError

FORMATS: Mapping[str, ModuleType] = {
    reader.NAME: reader
    for reader in (
        alpaca_eval,
        arena_hard,
        mt_bench,
        llmbar,
        lm_eval,
        inspect_logs,
        promptfoo,
        deepeval,
        openai_batch,
        arena,
        own,
    )
}
"""Name -> the module that reads it, the most particular first."""


class UnknownFormat(TaskError):
    """A file that is of no format of `FORMATS`."""


@dataclass(slots=True)
class Tally:
    """What a stream left out: counts by reason and the place of the first."""

    dropped: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        self.places.setdefault(reason, place)


@dataclass(frozen=True, eq=False)
class VerdictFile:
    """What a file holds.

    Attributes:
        format: the format that it was recognised as.
        rows: verdicts on two answers, as `audits.rows.verdicts_of` takes them.
        scores: scores of single answers: `system`, `score` and the fields of docs/verdicts.md.
        dropped: records that are not used, counted by reason.
        places: reason -> file and line of the first such record.
    """

    path: Path
    format: str
    rows: tuple[Mapping[str, Any], ...]
    scores: tuple[Mapping[str, Any], ...]
    dropped: Mapping[str, int]
    places: Mapping[str, str]


def read_verdicts(path: Path, *, format: str | None = None, **options: Unpack[Given]) -> VerdictFile:
    """All verdicts and scores of a file.

    Args:
        format: a name of `FORMATS`; None to tell it from the content.
        options: the attributes of `Options`, for what the file does not say.

    Raises:
        ConfigError: no such format.
        UnknownFormat: a file of no known format.
        TaskError: a record that cannot be right, by file, line and field.
    """
    tally = Tally()
    rows: list[Row] = []
    scores: list[Row] = []
    name, stream = stream_verdicts(path, format=format, tally=tally, **options)
    for found in stream:
        (rows if "verdict" in found else scores).append(found)
    if not rows and not scores:
        raise TaskError(f"{path}: no verdicts in it{_reasons(tally)}")
    return VerdictFile(path, name, tuple(rows), tuple(scores), tally.dropped, tally.places)


def stream_verdicts(
    path: Path, *, format: str | None = None, tally: Tally | None = None, **options: Unpack[Given]
) -> tuple[str, Iterator[Row]]:
    """The format of a file, and its rows as they are read; `tally` counts what is left out. See `read_verdicts`."""
    chosen = Options(**options)
    records = read_records(path)
    first = next(records, None)
    if first is None:
        raise TaskError(f"{path}: the file holds no records")
    reader = _reader(path, format, first.values)
    return reader.NAME, _rows(reader, chain([first], records), chosen, tally if tally is not None else Tally())


def recognised(head: Mapping[str, Any]) -> str | None:
    """The format of a file by its first record; None if it is of no known one."""
    return next((name for name, reader in FORMATS.items() if reader.reads(head)), None)


def _rows(reader: ModuleType, records: Iterator[Record], options: Options, tally: Tally) -> Iterator[Row]:
    place = ""

    def watched() -> Iterator[Record]:
        nonlocal place
        for record in records:
            place = record.place
            yield record

    for item in reader.read(watched(), options):
        if isinstance(item, Dropped):
            tally.add(item.reason, place)
            continue
        if not options.texts:
            unread = item.get("verdict", item.get("score")) is None
            for name in TEXTS:
                if name in item and not (unread and name == "raw"):
                    del item[name]
        yield item


def _reader(path: Path, format: str | None, head: Mapping[str, Any]) -> ModuleType:
    if format is not None:
        if format not in FORMATS:
            raise ConfigError(f"no format of verdicts is called {format!r}; there are {', '.join(FORMATS)}")
        return FORMATS[format]
    name = recognised(head)
    if name is not None:
        return FORMATS[name]
    fields = ", ".join(ascii(name)[1:-1][:40] for name in list(head)[:8]) or "none"
    raise UnknownFormat(
        f"{path}: of no known format, by its first record's fields: {fields}; known are {', '.join(FORMATS)} "
        "(docs/verdicts.md says what they look like)"
    )


def _reasons(tally: Tally) -> str:
    listed = ", ".join(f"{n} {reason}" for reason, n in tally.dropped.items())
    return f"; left out: {listed}" if listed else ""
