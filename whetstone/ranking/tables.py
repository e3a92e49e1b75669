"""Columns of CSV, TSV, JSON Lines and Parquet files, with labels encoded as they are read.

Memory holds the codes of the columns asked for, never the rows as objects. A text file is read as UTF-8; bytes that are
not stay marked in the labels, so that whoever uses a label can name its row and column.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from whetstone.core.decode import read_json
from whetstone.core.errors import TaskError

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")

_BATCH = 1 << 17
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NEEDS = "reading Parquet needs pyarrow: pip install 'whetstone[data]'"


@dataclass(frozen=True, eq=False)
class Column:
    """A column as codes of its distinct values.

    Attributes:
        labels: the distinct values, in the order of their first row.
        codes: [n] positions in `labels`; -1 where the file has no value.
    """

    labels: Sequence[Any]
    codes: NDArray[np.int32]

    def row_of(self, code: int) -> int:
        """The first row, from 1, with this code."""
        return int(np.argmax(self.codes == code)) + 1

    def numbers(self) -> NDArray[np.float64]:
        """[n] the values as numbers; NaN where there is none. Raises ValueError for a value that is not a number."""
        return np.array([*(float(label) for label in self.labels), np.nan])[self.codes]


def column_names(path: Path) -> list[str]:
    """The columns of a file; of JSON Lines, the fields of its first row.

    Raises:
        TaskError: a file that is not there, is empty or has another format.
    """
    kind = _format(path)
    if kind == ".parquet":
        with _parquet_file(path, []) as file:
            return list(file.schema_arrow.names)
    with _open_text(path) as text:
        if kind == ".jsonl":
            return list(next(_json_rows(path, text)))
        return _header(path, csv.reader(text, delimiter=_DELIMITERS[kind]))


def read_columns(path: Path, wanted: Mapping[str, str]) -> dict[str, Column]:
    """Read some columns.

    Args:
        wanted: column name -> name of the list of labels that it is encoded in; columns may share one. At least two.

    Raises:
        TaskError: a file that cannot be read, by row.
    """
    indices: dict[str, dict[Any, int]] = {space: {} for space in wanted.values()}
    by_column = {name: indices[space] for name, space in wanted.items()}
    kind = _format(path)
    if kind == ".parquet":
        codes = _parquet_codes(path, by_column)
    else:
        with _open_text(path) as text:
            if kind == ".jsonl":
                rows = _json_values(path, text, list(by_column))
            else:
                rows = _csv_values(path, csv.reader(text, delimiter=_DELIMITERS[kind]), list(by_column))
            codes = _encode(rows, by_column)
    return {name: Column(list(by_column[name]), codes[name]) for name in wanted}


def read_values(path: Path, name: str) -> Iterator[Any]:
    """The values of one column as the file has them, row by row; lists too, where the format knows lists.

    Raises:
        TaskError: a file that cannot be read, by row.
    """
    kind = _format(path)
    if kind == ".parquet":
        with _parquet_file(path, []) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=[name], use_threads=False):
                yield from batch.column(name).to_pylist()
        return
    with _open_text(path) as text:
        if kind == ".jsonl":
            yield from (record.get(name) for record in _json_rows(path, text))
        else:
            rows = _csv_values(path, csv.reader(text, delimiter=_DELIMITERS[kind]), (name, name))
            yield from (value for value, _ in rows)


def _format(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    kind = next((suffix for suffix in FORMATS if name.endswith(suffix)), None)
    if kind is None:
        raise TaskError(f"{path}: not a {', '.join(FORMATS)} file")
    if not path.is_file():
        raise TaskError(f"{path}: no such file")
    return kind


@contextmanager
def _open_text(path: Path) -> Iterator[io.TextIOWrapper]:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as opened:
            file = cast(io.BufferedReader, opened)
            if file.peek(2)[:2] in _UTF16:
                raise TaskError(f"{path}: row 1: the file is UTF-16; save it as UTF-8")
            yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    except (OSError, EOFError, zlib.error) as error:
        raise TaskError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _encode(rows: Iterator[Sequence[Any]], indices: Mapping[str, dict[Any, int]]) -> dict[str, NDArray[np.int32]]:
    found: list[list[int]] = [[] for _ in indices]
    encoders = [(values.append, index, index.setdefault) for values, index in zip(found, indices.values(), strict=True)]
    for row in rows:
        for (append, index, code), value in zip(encoders, row, strict=True):
            append(-1 if value is None or value == "" else code(value, len(index)))
    return {name: np.array(values, dtype=np.int32) for name, values in zip(indices, found, strict=True)}


def _header(path: Path, reader: Iterator[list[str]]) -> list[str]:
    header = next((row for row in reader if row), None)
    if header is None:
        raise TaskError(f"{path}: the file is empty")
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TaskError(f"{path}: the header names {', '.join(twice)} twice")
    return names


def _csv_values(path: Path, reader: Any, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    header = _header(path, reader)
    places = [header.index(name) for name in names]
    row, width = 0, len(header)
    pick: Callable[[list[str]], tuple[str, ...]] = itemgetter(*places)
    try:
        for fields in reader:
            if not fields:
                continue
            row += 1
            if len(fields) != width:
                raise TaskError(f"{path}: row {row}: {len(fields)} fields where the header has {width}")
            yield pick(fields)
    except csv.Error as error:
        raise TaskError(f"{path}: row {row + 1}: not CSV: {error}") from error


def _json_rows(path: Path, text: io.TextIOWrapper) -> Iterator[dict[str, Any]]:
    row = 0
    for line in text:
        if not line.strip():
            continue
        row += 1
        try:
            record = read_json(line)
        except ValueError as error:
            raise TaskError(f"{path}: row {row}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise TaskError(f"{path}: row {row}: a JSON {type(record).__name__}, not an object")
        yield record
    if not row:
        raise TaskError(f"{path}: the file is empty")


def _json_values(path: Path, text: io.TextIOWrapper, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for row, record in enumerate(_json_rows(path, text), 1):
        values = tuple(record.get(name) for name in names)
        for name, value in zip(names, values, strict=True):
            if isinstance(value, list | dict):
                raise TaskError(f"{path}: row {row}, column {name}: a {type(value).__name__}, not a single value")
        yield values


def _parquet_file(path: Path, dictionary: Sequence[str]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise TaskError(f"{path}: {_NEEDS}") from error
    try:
        return pyarrow.parquet.ParquetFile(path, read_dictionary=list(dictionary))
    except pyarrow.ArrowInvalid as error:
        raise TaskError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error


class _Known(NamedTuple):
    """A batch's dictionary, and the codes of its values; the last is that of no value."""

    dictionary: Any
    table: NDArray[np.int32]


def _parquet_codes(path: Path, indices: Mapping[str, dict[Any, int]]) -> dict[str, NDArray[np.int32]]:
    """Strings come as codes of a dictionary each batch; only the dictionaries are looked up."""
    with _parquet_file(path, list(indices)) as file:
        codes = {name: np.empty(file.metadata.num_rows, dtype=np.int32) for name in indices}
        start, last = 0, dict.fromkeys(indices, _Known(None, np.empty(0, dtype=np.int32)))
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(indices), use_threads=False):
            for name, index in indices.items():
                array = batch.column(name)
                if not hasattr(array, "dictionary"):
                    array = array.dictionary_encode()
                if last[name].dictionary is None or not array.dictionary.equals(last[name].dictionary):
                    values = array.dictionary.to_pylist()
                    known = [-1 if v is None or v == "" else index.setdefault(v, len(index)) for v in values]
                    last[name] = _Known(array.dictionary, np.array([*known, -1], dtype=np.int32))
                table, places = last[name].table, array.indices
                places = places.fill_null(len(table) - 1) if places.null_count else places
                part = codes[name][start : start + len(places)]
                # Clipping changes nothing, since all places are in the table; without it every place is checked.
                np.take(table, places.to_numpy(zero_copy_only=False), out=part, mode="clip")
            start += len(batch)
    return codes
