"""The only file that talks to SQLite: one connection, whole transactions, errors that say what to do.

Text is bound as UTF-8 bytes with lone surrogates kept (`text`), since model output and example ids may hold them
and SQLite's own binding refuses them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whetstone.core.errors import StoreError
from whetstone.store.migrations import migrate

BUSY_SECONDS = 60.0
LOOKUP = 8192

ADVICE = {
    "SQLITE_FULL": "the disk is full; everything answered so far is kept: free some space, then resume",
    "SQLITE_IOERR": "the disk cannot be read or written; check its space and health, then resume",
    "SQLITE_READONLY": "the file or its folder is read-only; make it writable or choose another folder",
    "SQLITE_CANTOPEN": "the file cannot be opened; make its folder writable or choose another folder",
    "SQLITE_NOTADB": "this is not a run database; move the file away or choose another folder",
    "SQLITE_CORRUPT": "the file is damaged; move it away and start anew, or restore a copy",
    "SQLITE_BUSY": "another process holds the file; end that process, then resume",
}


def text(value: str) -> bytes:
    """Bind with `CAST(? AS TEXT)`."""
    return value.encode("utf-8", "surrogatepass")


class Database:
    """One connection to a migrated file. Every method raises StoreError with one line that says what to do."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._boundary():
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{file.parent}: cannot make this folder ({error.strerror}); choose another"
                ) from error
            self._connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogatepass")
                # WAL with NORMAL: a commit costs no fsync, and a killed process loses nothing that was committed.
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute("PRAGMA foreign_keys = ON")
                with self.transaction():
                    migrate(self._connection, file)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def _boundary(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", None) or ""
            advice = next((line for prefix, line in ADVICE.items() if name.startswith(prefix)), str(error))
            raise StoreError(f"{self.file}: {advice}") from error

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._boundary():
            return self._connection.execute(sql, values).fetchall()

    def look_up(self, sql: str, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        """Rows of a query whose `{keys}` stands for a list of any length."""
        for start in range(0, len(keys), LOOKUP):
            part = keys[start : start + LOOKUP]
            yield from self.read(sql.replace("{keys}", ",".join("?" * len(part))), part)

    def write(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for every row in one transaction; return how many rows changed."""
        with self.transaction():
            return self.execute_many(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside are kept, or none."""
        with self._boundary():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement, for use inside `transaction`; return how many rows changed."""
        with self._boundary():
            return self._connection.execute(sql, values).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """One statement for every row, for use inside `transaction`; return how many rows changed."""
        with self._boundary():
            return self._connection.executemany(sql, rows).rowcount

    def close(self) -> None:
        self._connection.close()
