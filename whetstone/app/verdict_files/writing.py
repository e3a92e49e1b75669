"""Rows as files: the project's own format, battles to rank, score tables, outputs to judge again."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal, TextIO, Unpack, cast

from whetstone.app.verdict_files import own
from whetstone.app.verdict_files.labels import Labels, read_labels
from whetstone.app.verdict_files.options import Given
from whetstone.app.verdict_files.ranked import outcome
from whetstone.app.verdict_files.reading import Tally, stream_verdicts
from whetstone.app.verdict_files.rows import Row
from whetstone.core.errors import ConfigError, TaskError
from whetstone.tasks.readers import FORMATS, file_format

To = Literal["verdicts", "battles", "scores", "outputs"]
FIELDS = (
    *("id", "judge", "protocol", "metric", "prompt", "turn", "repeat", "category", "pair", "swapped"),
    *("first", "second", "verdict", "strength", "both_bad", "system", "score", "label"),
    *("first_length", "second_length", "length", "tokens", "question", "first_text", "second_text", "answer", "raw"),
)
"""The fields of own rows, in the order of columns."""
BATTLES = ("prompt_id", "model_a", "model_b", "winner", "judge", "turn")
SCORES = ("system", "task", "score")
OUTPUTS = ("id", "question", "output_1", "output_2", "generator_1", "generator_2", "label", "category")
BATCH = 10_000


@dataclass(frozen=True)
class Converted:
    """What a conversion wrote.

    Attributes:
        format: of the source.
        rows: how many were written.
        dropped, places: what was left out, as in `VerdictFile`.
        labelled: rows that were given a label; None where none were asked for.
    """

    source: str
    target: str
    format: str
    to: To
    rows: int
    dropped: Mapping[str, int]
    places: Mapping[str, str]
    labelled: int | None = None


def convert(
    source: Path,
    target: Path,
    *,
    to: To = "verdicts",
    overwrite: bool = False,
    labels: Path | None = None,
    label: str = "",
    format: str | None = None,
    **options: Unpack[Given],
) -> Converted:
    """Write the verdicts and scores of a file in another form, row by row; whole or not at all.

    Args:
        target: a .jsonl, .csv, .tsv (each also .gz) or .parquet file; the name says which.
        to: "verdicts" (own rows), "battles" (arena columns, for rank), "scores" (system, task, score, for rank) or
            "outputs" (labelled pairs with their texts, for judge).
        overwrite: write over an existing file.
        labels: another file whose verdicts and scores are the labels (people's votes).
        label: only this judge's or metric's are; without `labels`, those in the file itself (a verifier's).
        format, options: as in `read_verdicts`; texts are kept unless `texts=False`.

    Raises:
        ConfigError: a target of another kind, or one that exists.
        TaskError: a record that cannot be right, or nothing to write.
    """
    kind = file_format(target)
    if kind is None:
        raise ConfigError(f"{target}: the name must end in {', '.join(FORMATS)}")
    if target.exists() and (not overwrite or (source.exists() and target.samefile(source))):
        raise ConfigError(f"{target}: exists already; choose another name" + " or add --overwrite" * (not overwrite))
    tally = Tally()
    wanted: Given = {"texts": True}
    wanted.update(options)
    if to == "outputs":
        wanted["texts"] = True
    known: Labels | None = None
    if labels is not None:
        known = read_labels(labels, by=label)
    elif label:
        known = read_labels(source, by=label, same=True, format=format, **options)

    def rows(counted: Tally) -> Iterator[Row]:
        name, found = stream_verdicts(source, format=format, tally=counted, **wanted)
        names.append(name)
        if known is not None:
            known.matched = 0
            found = known.attach(found, counted)
        return FORMS[to](found, counted)

    names: list[str] = []
    fields = COLUMNS[to]
    if not fields and kind != ".jsonl":
        there = {field for row in rows(Tally()) for field in row}
        fields = (*(field for field in FIELDS if field in there), *sorted(there - {*FIELDS}))
    found = rows(tally)
    first = next(found, None)
    if first is None:
        reasons = ", ".join(f"{n} {reason}" for reason, n in tally.dropped.items())
        raise TaskError(f"{source}: nothing to write as {to}" + f" (left out: {reasons})" * bool(reasons))
    with _whole(target) as scratch:
        n = WRITERS[kind](scratch, chain([first], found), fields)
    matched = None if known is None else known.matched
    return Converted(str(source), str(target), names[-1], to, n, tally.dropped, tally.places, matched)


def _verdicts(rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
    return rows


def _battles(rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
    """A probability becomes a win of the likelier one."""
    for row in rows:
        verdict = row.get("verdict")
        if "verdict" not in row or "first" not in row or "second" not in row:
            tally.add("a score, or a verdict on answers without names", "")
        elif verdict is None:
            tally.add("an unreadable verdict", "")
        else:
            yield {
                "prompt_id": row.get("prompt"),
                "model_a": row["first"],
                "model_b": row["second"],
                "winner": ("tie", "model_a", "model_b")[outcome(verdict)],
                "judge": row.get("judge"),
                "turn": row.get("turn"),
            }


def _scores(rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
    for row in rows:
        if row.get("score") is None or "system" not in row or "prompt" not in row:
            tally.add("a verdict, or a score without a value, a system or a prompt", "")
            continue
        metric = row.get("metric", "")
        what = {"metric": metric} if metric not in row.get("judge", "") else {}
        parts = {**row, "metric": None, **what}
        known = [
            parts[field] for field in ("prompt", "turn", "judge", "metric", "repeat") if parts.get(field) is not None
        ]
        task = " ".join(map(str, known))
        yield {"system": row["system"], "task": task, "score": row["score"]}


def _outputs(rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
    """Each pair once, in the order of its first row."""
    seen: set[int] = set()
    for row in rows:
        if not {"question", "first_text", "second_text"} <= row.keys():
            tally.add("a row without the texts of a question and two answers", "")
            continue
        key = hash((row["question"], *sorted((row["first_text"], row["second_text"]))))
        if key in seen:
            tally.add("a pair that stands there already", "")
            continue
        seen.add(key)
        yield {
            "id": f"{row.get('prompt', 'pair')}-{len(seen)}",
            "question": row["question"],
            "output_1": row["first_text"],
            "output_2": row["second_text"],
            "generator_1": row.get("first"),
            "generator_2": row.get("second"),
            "label": row.get("label"),
            "category": row.get("category"),
        }


def _jsonl(path: Path, rows: Iterable[Row], fields: Sequence[str]) -> int:
    n = 0
    with _text(path) as out:
        for row in rows:
            n += 1
            kept = {name: row[name] for name in fields or FIELDS if row.get(name) is not None}
            if not fields:
                kept = {**kept, **row}
            try:
                out.write(json.dumps(kept, ensure_ascii=True, allow_nan=False) + "\n")
            except ValueError:
                raise TaskError(f"{path.name}: row {n} has a number that is not finite, as JSON has none") from None
    return n


def _csv(path: Path, rows: Iterable[Row], fields: Sequence[str]) -> int:
    n = 0
    tab = file_format(path) == ".tsv"
    with _text(path) as out:
        writer = csv.writer(out, delimiter="\t" if tab else ",", lineterminator="\r\n")
        writer.writerow(fields)
        for row in rows:
            n += 1
            writer.writerow([_cell(row.get(name)) for name in fields])
    return n


def _parquet(path: Path, rows: Iterable[Row], fields: Sequence[str]) -> int:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(f"{path.name}: writing Parquet needs pyarrow: pip install 'whetstone[data]'") from error
    numbers = {*own.LENGTHS, *own.NUMBERS, "score"}
    kinds = [
        pyarrow.float64() if f in numbers else pyarrow.bool_() if f in own.FLAGS else pyarrow.string() for f in fields
    ]
    schema = pyarrow.schema(list(zip(fields, kinds, strict=True)))
    n, left = 0, iter(rows)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while batch := list(islice(left, BATCH)):
            n += len(batch)
            columns = [
                [row.get(f) if kind != pyarrow.string() else _cell(row.get(f)) or None for row in batch]
                for f, kind in zip(fields, kinds, strict=True)
            ]
            try:
                arrays = [pyarrow.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
            except pyarrow.ArrowException as error:
                raise TaskError(f"{path.name}: a value fits no column of Parquet ({error}); write .jsonl") from error
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
    return n


def _cell(value: Any) -> str:
    """A value as text: words and numbers as they are, lists and objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    packed = path.name.lower().endswith(".gz")
    with path.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) if packed else file as out:
        with io.TextIOWrapper(cast(IO[bytes], out), encoding="utf-8", newline="") as text:
            yield text


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A place to write that becomes the target when all is written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            scratch = Path(folder) / target.name
            yield scratch
            os.replace(scratch, target)
    except UnicodeEncodeError as error:
        raise TaskError(f"{target}: a text holds half a character ({error.reason}); write .jsonl instead") from error
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written ({error.strerror}); choose another place") from error


FORMS: Mapping[To, Callable[[Iterator[Row], Tally], Iterator[Row]]] = {
    "verdicts": _verdicts,
    "battles": _battles,
    "scores": _scores,
    "outputs": _outputs,
}
COLUMNS: Mapping[To, Sequence[str]] = {"verdicts": (), "battles": BATTLES, "scores": SCORES, "outputs": OUTPUTS}
"""The columns of each form; those of own rows are the fields that occur."""
WRITERS: Mapping[str, Callable[[Path, Iterable[Row], Sequence[str]], int]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}
