"""A folder's runs and replies: begin, resume, compare, export, merge."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from whetstone.core.errors import ConfigError, StoreError
from whetstone.core.types import Json, Model
from whetstone.store.cache import CachedModel, Traffic
from whetstone.store.database import Database, text
from whetstone.store.encoding import dumps
from whetstone.store.export import export_run
from whetstone.store.runs import Run, now, read_records, versions
from whetstone.store.transfer import Imported, export_replies, import_replies

M = TypeVar("M", bound=Model)

FILE = "store.db"
COLUMNS = "id, command, params, seed, versions, started, finished"
ACCOUNT = "run, model, role, asked, prompt, completion, stored"
KEPT = 20


@dataclass(frozen=True)
class Shown:
    """A run with the number of its records by kind and its findings by key."""

    run: Run
    counts: Mapping[str, int]
    findings: Mapping[str, Json]


@dataclass(frozen=True)
class Diff:
    """Two runs side by side as name -> (left, right); None where one has no such name.

    Parameters (with `command` and `seed`) and versions only where they differ, findings all.
    """

    params: Mapping[str, tuple[Json, Json]]
    versions: Mapping[str, tuple[Json, Json]]
    findings: Mapping[str, tuple[Json, Json]]


@dataclass(frozen=True)
class Merged:
    """What a merge added."""

    runs: int
    records: int
    replies: int


@dataclass(frozen=True)
class Account:
    """What a run asked of a model in one role.

    `asked` requests were answered by the model, for `prompt` and `completion` tokens; `stored` ones by the store.
    """

    run: str
    model: str
    role: str
    asked: int
    prompt: int
    completion: int
    stored: int


@dataclass(frozen=True)
class Held:
    """How many replies of a model are stored, and their bytes with their requests."""

    model: str
    replies: int
    bytes: int


class Store:
    """Runs and replies of one folder; use it as a context manager or call `close`.

    `traffic` counts what all cached models of this store were asked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.traffic = Traffic()
        self._database = Database(folder / FILE)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def cached(self, model: M, run: Run | None = None) -> M:
        """The model behind this store: stored requests are answered from it, new replies are committed to it.

        Identical requests in flight are asked once. Errors are not stored. Whatever else the model can do (training)
        stays reachable, so the result has the argument's type; the model itself is its `inner`. A reply belongs to
        the fingerprint at the time of asking: after training, everything is asked anew. What is asked is booked under
        `run`.
        """
        return cast(M, CachedModel(model, self._database, self.traffic, run.id if run else ""))

    def accounts(self, run_id: str | None = None) -> Sequence[Account]:
        """What was asked and what was answered from the store, by run, model and role; of one run, or of all."""
        where, values = ("", ()) if run_id is None else (" WHERE run = ?", (run_id,))
        rows = self._database.read(f"SELECT {ACCOUNT} FROM traffic{where} ORDER BY rowid", values)
        return [Account(*row) for row in rows]

    def begin(self, command: str, params: Mapping[str, Any], seed: int) -> Run:
        """Start a run; Python's, the platform's and the packages' versions are recorded with it.

        Args:
            command: the verb, e.g. `improve`.
            params: its settings, JSON or dataclasses of JSON.
            seed: run seed.
        """
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        row = (run_id, text(command), dumps(params), str(seed), dumps(versions()), now())
        self._database.write(
            "INSERT INTO runs (id, command, params, seed, versions, started)"
            " VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), ?, CAST(? AS TEXT), ?)",
            [row],
        )
        return self._run(run_id)

    def resume(self, run_id: str = "last") -> Run:
        """Go on with a run: "last" is the one begun last. Raises ConfigError that lists the known runs."""
        run = self._run(run_id)
        self._database.write("UPDATE runs SET finished = NULL WHERE id = ?", [(run.id,)])
        return self._run(run.id)

    def list(self) -> Sequence[Run]:
        """All runs, the newest first."""
        rows = self._database.read(f"SELECT {COLUMNS} FROM runs ORDER BY started DESC, rowid DESC")
        return [self._from_row(row) for row in rows]

    def show(self, run_id: str = "last") -> Shown:
        """A run, how many records of each kind it has, and its findings. Raises ConfigError for an unknown run."""
        run = self._run(run_id)
        counted = "SELECT kind, COUNT(*) FROM records WHERE run = ? GROUP BY kind ORDER BY kind"
        return Shown(run, dict(self._database.read(counted, (run.id,))), self._findings(run))

    def diff(self, left_id: str, right_id: str) -> Diff:
        """Parameters and versions that differ, and the findings of both. Raises ConfigError for an unknown run."""
        left, right = self._run(left_id), self._run(right_id)
        params = beside(_settings(left), _settings(right))
        found = beside(left.versions, right.versions)
        return Diff(
            {name: pair for name, pair in params.items() if pair[0] != pair[1]},
            {name: pair for name, pair in found.items() if pair[0] != pair[1]},
            beside(self._findings(left), self._findings(right)),
        )

    def export(self, run_id: str, target: Path) -> Path:
        """Write a run to a `.jsonl` file, or to a folder of `run.json` and one JSONL file for each kind.

        Raises StoreError if the target exists or cannot be written.
        """
        return export_run(self._run(run_id), self._database, target)

    def delete(self, run_id: str) -> None:
        """Delete a run and its records. Its replies stay, since other runs may share them."""
        self._database.write("DELETE FROM runs WHERE id = ?", [(self._run(run_id).id,)])

    def sizes(self) -> Sequence[Held]:
        """The replies that are held, by model ("" where it was not noted)."""
        counted = (
            "SELECT coalesce(model, ''), COUNT(*), SUM(length(reply) + coalesce(length(request), 0)) FROM replies"
            " GROUP BY 1 ORDER BY 2 DESC"
        )
        return [Held(*row) for row in self._database.read(counted)]

    @property
    def size(self) -> int:
        """Bytes on disk, with what waits to be merged into the main file."""
        files = (self.folder / f"{FILE}{end}" for end in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())

    def export_replies(self, target: Path, model: str | None = None) -> int:
        """Write all replies, or those of one model, as JSON lines (compressed for a name in .gz); return how many.

        Raises StoreError if the target exists or cannot be written.
        """
        return export_replies(self._database, target, model)

    def import_replies(self, source: Path) -> Imported:
        """Take over the replies of such a file that are not here yet, all of them or none.

        Raises StoreError that names the line if the file cannot be read.
        """
        return import_replies(self._database, source)

    def merge(self, folder: Path) -> Merged:
        """Take over runs, records and replies of another folder's store that this one lacks; what is here wins."""
        if not (folder / FILE).is_file():
            raise StoreError(f"{folder}: no {FILE} there; give the folder of another store")
        # Opening brings an older file to today's schema.
        Database(folder / FILE).close()
        db = self._database
        db.execute("ATTACH ? AS other", (str(folder / FILE),))
        try:
            with db.transaction():
                runs = db.execute(
                    f"INSERT OR IGNORE INTO runs ({COLUMNS}) SELECT {COLUMNS} FROM other.runs ORDER BY rowid"
                )
                records = db.execute(
                    "INSERT OR IGNORE INTO records (run, kind, key, value)"
                    " SELECT run, kind, key, value FROM other.records ORDER BY id"
                )
                replies = db.execute(
                    "INSERT OR IGNORE INTO replies (key, reply, model, request)"
                    " SELECT key, reply, model, request FROM other.replies ORDER BY rowid"
                )
                db.execute(f"INSERT OR IGNORE INTO traffic ({ACCOUNT}) SELECT {ACCOUNT} FROM other.traffic")
        finally:
            db.execute("DETACH other")
        return Merged(runs, records, replies)

    def _run(self, run_id: str) -> Run:
        known = self.list()
        for run in known:
            if run_id in ("last", run.id):
                return run
        names = ", ".join(run.id for run in known[:KEPT]) + (" ..." if len(known) > KEPT else "")
        raise ConfigError(f"no run {run_id!r} in {self.folder}; known: {names or 'none yet'}")

    def _from_row(self, row: tuple[Any, ...]) -> Run:
        run_id, command, params, seed, found, started, finished = row
        return Run(run_id, command, json.loads(params), int(seed), json.loads(found), started, finished, self._database)

    def _findings(self, run: Run) -> dict[str, Json]:
        return dict(read_records(self._database, run.id, "finding"))


def open_store(folder: Path) -> Store:
    """Open the store of a folder, making both if need be and bringing an older file to today's schema.

    Raises:
        StoreError: the folder cannot be written, the disk is full, the file is damaged or of a newer Whetstone.
    """
    return Store(folder)


def beside(left: Mapping[str, Json], right: Mapping[str, Json]) -> dict[str, tuple[Json, Json]]:
    """name -> (left, right) over the names of both, in order of appearance."""
    return {name: (left.get(name), right.get(name)) for name in (*left, *(n for n in right if n not in left))}


def _settings(run: Run) -> dict[str, Json]:
    return {"command": run.command, "seed": run.seed, **run.params}
