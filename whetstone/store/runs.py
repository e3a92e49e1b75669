"""A run: what was asked for, with which versions, and what it recorded."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from whetstone.core.types import Json
from whetstone.store.database import Database, text
from whetstone.store.encoding import dumps

RecordKind = Literal["signal", "outcome", "verdict", "round", "failure", "finding", "step"]

PACKAGES = ("whetstone", "numpy", "scipy", "torch", "transformers", "tokenizers", "safetensors", "peft", "accelerate")
PAGE = 1000

ADD = (
    "INSERT INTO records (run, kind, key, value) VALUES (?, ?, CAST(? AS TEXT), CAST(? AS TEXT))"
    " ON CONFLICT (run, kind, key) DO UPDATE SET value = excluded.value"
)
PAGED = "SELECT id, key, value FROM records WHERE run = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?"


@dataclass(frozen=True)
class Run:
    """One run of a command. `finished` is None while it runs, and after it was killed."""

    id: str
    command: str
    params: Mapping[str, Json]
    seed: int
    versions: Mapping[str, str]
    started: str
    finished: str | None
    _database: Database = field(repr=False, compare=False)

    def add(self, kind: RecordKind, key: str, value: Any) -> None:
        """Record a value: JSON or a dataclass of JSON. A record of the same kind and key is replaced in its place."""
        self.add_many(kind, [(key, value)])

    def add_many(self, kind: RecordKind, items: Iterable[tuple[str, Any]]) -> None:
        """Record many (key, value) pairs in one transaction: all of them or none."""
        rows = [(self.id, kind, text(key), dumps(value)) for key, value in items]
        self._database.write(ADD, rows)

    def read(self, kind: RecordKind) -> Iterator[tuple[str, Json]]:
        """Records of a kind as (key, JSON), in the order in which their keys were first added."""
        yield from read_records(self._database, self.id, kind)

    def finish(self) -> Run:
        """Mark the run as finished, now."""
        finished = now()
        self._database.write("UPDATE runs SET finished = ? WHERE id = ?", [(finished, self.id)])
        return replace(self, finished=finished)


def read_records(database: Database, run: str, kind: str) -> Iterator[tuple[str, Json]]:
    """Page by page, so that writing between two records is allowed and memory stays bounded."""
    last = 0
    while rows := database.read(PAGED, (run, kind, last, PAGE)):
        for last, key, value in rows:  # noqa: B007
            yield key, json.loads(value)


def now() -> str:
    """UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def versions() -> dict[str, str]:
    """Python, platform and installed packages, read from metadata: nothing is imported."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
