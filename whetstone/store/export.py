"""A run as files that need no database: JSON lines, one record a line."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from whetstone.core.errors import StoreError
from whetstone.store.database import Database
from whetstone.store.encoding import dumps
from whetstone.store.runs import Run, read_records


def export_run(run: Run, database: Database, target: Path) -> Path:
    """Write to a `.jsonl` file, or else to a new folder; whole or not at all. Raises StoreError."""
    if target.exists():
        raise StoreError(f"{target}: exists already; choose another name")
    kinds = [kind for (kind,) in database.read("SELECT DISTINCT kind FROM records WHERE run = ? ORDER BY 1", (run.id,))]
    head = {
        "id": run.id,
        "command": run.command,
        "params": run.params,
        "seed": run.seed,
        "versions": run.versions,
        "started": run.started,
        "finished": run.finished,
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            whole = Path(scratch) / target.name
            if target.suffix == ".jsonl":
                records = (
                    {"kind": kind, "key": key, "value": value}
                    for kind in kinds
                    for key, value in read_records(database, run.id, kind)
                )
                _write(whole, [{"kind": "run", "key": run.id, "value": head}], records)
            else:
                whole.mkdir()
                _write(whole / "run.json", [head])
                for kind in kinds:
                    rows = ({"key": key, "value": value} for key, value in read_records(database, run.id, kind))
                    _write(whole / f"{kind}.jsonl", rows)
            os.replace(whole, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror}); choose another place") from error
    return target


def _write(file: Path, *parts: Iterable[Mapping[str, Any]]) -> None:
    with file.open("wb") as out:
        for part in parts:
            for line in part:
                out.write(dumps(line) + b"\n")
