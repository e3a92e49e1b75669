"""Rows of JSON Lines, CSV, TSV and Parquet files, streamed: memory does not grow with the file.

A row that cannot be read is yielded with its problem instead of a record, so that a validator can go on and a loader
can stop there. `.gz` is understood for the text formats.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from whetstone.core.decode import read_json
from whetstone.core.errors import TaskError

FORMATS = (".jsonl", ".csv", ".tsv", ".parquet")
MAX_LINE = 1 << 24

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One record at a line (from 1; a row number for Parquet), or what is wrong with it.

    A `warning` does not stop the record from being used.
    """

    line: int
    record: dict[str, Any] | None = None
    problem: str = ""
    warning: str = ""


def file_format(path: Path) -> str | None:
    """The format that a file's name says, without `.gz`; None if it is not one of `FORMATS`."""
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), None)


def stem(path: Path) -> str:
    """The file's name without its endings."""
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def read_rows(path: Path) -> Iterator[Row]:
    """Stream a file's rows. Raises TaskError when the file as a whole cannot be read."""
    kind = file_format(path)
    if kind is None:
        raise TaskError(f"{path}: not a {', '.join(FORMATS)} file")
    try:
        if kind == ".parquet":
            yield from _parquet(path)
        else:
            with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as opened:
                file = cast(IO[bytes], opened)
                yield from _jsonl(file) if kind == ".jsonl" else _csv(file, "\t" if kind == ".tsv" else ",")
    except (OSError, EOFError, zlib.error) as error:
        raise TaskError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines and records of a file's rows. Raises TaskError, by file and line, at the first that cannot be read."""
    for row in read_rows(path):
        if row.problem:
            raise TaskError(f"{path}:{row.line}: {row.problem}")
        if row.record is not None:
            yield row.line, row.record


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str, str, str]]:
    """(line number, text, problem, warning) of each line; a text with a problem is empty."""
    number = 0
    while raw := file.readline(MAX_LINE):
        number += 1
        problem = warning = ""
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                continue
            problem = f"longer than {MAX_LINE >> 20} MiB"
        elif number == 1 and raw.startswith(_UTF16_BOMS):
            yield number, "", "the file is UTF-16; save it as UTF-8", ""
            return
        elif number == 1 and raw.startswith(_UTF8_BOM):
            raw, warning = raw.removeprefix(_UTF8_BOM), "the file starts with a byte order mark; save it without"
        try:
            text = "" if problem else raw.decode("utf-8")
        except UnicodeDecodeError as error:
            text, problem = "", f"not UTF-8: byte 0x{raw[error.start]:02x} at column {error.start + 1}"
        yield number, text, problem, warning


def _jsonl(file: IO[bytes]) -> Iterator[Row]:
    first = True
    for number, text, problem, warning in _lines(file):
        if problem:
            yield Row(number, problem=problem)
            continue
        if not text.strip():
            if warning:
                yield Row(number, warning=warning)
            continue
        if first and text.lstrip().startswith("["):
            yield Row(number, problem="a JSON array; write one object a line (JSON Lines)")
            return
        first = False
        yield _json_row(number, text, warning)


def _json_row(number: int, text: str, warning: str) -> Row:
    try:
        record = read_json(text.rstrip())
    except json.JSONDecodeError as error:
        return Row(number, problem=f"not JSON: {error.msg} at column {error.colno}", warning=warning)
    except ValueError as error:
        return Row(number, problem=f"not JSON: {error}", warning=warning)
    if not isinstance(record, dict):
        return Row(number, problem=f"a JSON {type(record).__name__}, not an object", warning=warning)
    return Row(number, record, warning=warning)


def _csv(file: IO[bytes], delimiter: str) -> Iterator[Row]:
    problems: dict[int, str] = {}
    warnings: list[str] = []

    def texts() -> Iterator[str]:
        for number, text, problem, warning in _lines(file):
            if problem:
                problems[number] = problem
            if warning:
                warnings.append(warning)
            yield text or "\n"

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield Row(line, problem=f"not CSV: {error}")
            continue
        if problems:
            yield from (Row(number, problem=problem) for number, problem in problems.items())
            problems.clear()
            continue
        if values is None:
            return
        if header is None and values:
            header = [name.strip() for name in values]
            twice = {name for name in header if header.count(name) > 1}
            if twice:
                yield Row(line, problem=f"the header names {', '.join(sorted(twice))} twice")
                return
            if warnings:
                yield Row(line, warning=warnings[0])
        elif header and values and len(values) != len(header):
            yield Row(line, problem=f"{len(values)} fields where the header has {len(header)}")
        elif header and values:
            yield Row(line, {name: value or None for name, value in zip(header, values, strict=True)})


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise TaskError(f"{path}: reading Parquet needs pyarrow: pip install 'whetstone[data]'") from error
    try:
        number = 0
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=512):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(number, record)
    except pyarrow.ArrowInvalid as error:
        raise TaskError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
