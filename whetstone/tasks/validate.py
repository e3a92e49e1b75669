"""What is wrong with a data file, by line."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from whetstone.core.errors import TaskError
from whetstone.tasks.columns import ALIASES, column, read_fields
from whetstone.tasks.readers import read_rows
from whetstone.tasks.verifiers import Verifier, load_verifier

LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the line (0: the file as a whole), the field ("" for the row) and what to do."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {self.field + ': ' if self.field else ''}{self.message}"


def validate_file(path: Path | str, *, verifier: str | None = None, limit: int = LIMIT) -> list[Problem]:
    """Every problem of a data file, in the order of lines; an empty list means that it can be used.

    The file is streamed; per row only eight bytes (of its id) are kept.

    Args:
        verifier: also check the targets as this verifier needs them.
        limit: how many problems to name; a last one then says how many more there are.
    """
    path = Path(path)
    checks = load_verifier(verifier) if verifier else None
    found: list[Problem] = []
    ids: array[int] = array("Q")
    lines: array[int] = array("Q")
    more = rows = 0
    try:
        for problem in _problems(path, checks, ids, lines):
            rows += problem is None
            if problem is not None and len(found) < limit:
                found.append(problem)
            elif problem is not None:
                more += 1
        if not rows and not found:
            found.append(Problem(0, "", "the file has no rows"))
        for problem in _duplicates(ids, lines):
            if len(found) < limit:
                found.append(problem)
            else:
                more += 1
    except TaskError as error:
        found.append(Problem(0, "", str(error).removeprefix(f"{path}: ")))
    found.sort(key=lambda problem: (problem.line, problem.field))
    if more:
        found.append(Problem(0, "", f"{more} more problems"))
    return found


def _problems(path: Path, verifier: Verifier | None, ids: array[int], lines: array[int]) -> Iterator[Problem | None]:
    """Problems, and None for each record that was read."""
    kinds: dict[str, tuple[str, int]] = {}
    for row in read_rows(path):
        if row.warning:
            yield Problem(row.line, "", row.warning)
        if row.problem:
            yield Problem(row.line, "", row.problem)
        if row.record is None:
            continue
        yield None
        fields = read_fields(row.record)
        yield from (Problem(row.line, fault.field, fault.message) for fault in fields.faults)
        if verifier and not fields.faults:
            for target in fields.targets:
                if fault_text := verifier.fault(target):
                    yield Problem(row.line, "target", fault_text)
        yield from _mixed(row.line, row.record, kinds)
        if fields.id is not None:
            ids.append(_hash(fields.id))
            lines.append(row.line)


def _mixed(line: int, record: dict[str, Any], kinds: dict[str, tuple[str, int]]) -> Iterator[Problem]:
    """Fields whose type differs from the first row's that has them."""
    for name in ALIASES:
        alias = column(record, name)
        if alias is None:
            continue
        kind = type(record[alias]).__name__.replace("int", "number").replace("float", "number")
        first, where = kinds.setdefault(name, (kind, line))
        if kind != first:
            yield Problem(line, name, f"{name} is {_article(kind)} here and {_article(first)} on line {where}")


def _article(kind: str) -> str:
    word = {"str": "text", "dict": "object", "bool": "truth value"}.get(kind, kind)
    return word if word == "text" else f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _duplicates(ids: array[int], lines: array[int]) -> Iterator[Problem]:
    if not ids:
        return
    hashes, where = np.frombuffer(ids, dtype=np.uint64), np.frombuffer(lines, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    first = np.repeat(order[starts], np.diff(np.concatenate((starts, [len(ranked)]))))
    for later, earlier in zip(order, first, strict=True):
        if later != earlier:
            message = f"the same id as on line {where[earlier]}"
            yield Problem(int(where[later]), "id", message)


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
