"""The schema from blank and from every older version, and what is said of a schema of the future."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from whetstone.core.errors import StoreError
from whetstone.core.flow import drive, sample
from whetstone.core.types import Sample, Sampling, user
from whetstone.store import open_store
from whetstone.store.migrations import MIGRATIONS

VERSIONS = Path(__file__).parent / "versions"
NAMES = [step.__name__ for step in MIGRATIONS]


def schema(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Tables and their columns."""
    db = sqlite3.connect(file)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    return {table: db.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}


def older(name: str, folder: Path) -> Path:
    folder.mkdir()
    db = sqlite3.connect(folder / "store.db")
    db.executescript((VERSIONS / f"{name}.sql").read_text())
    db.close()
    return folder


def test_steps_are_numbered_and_documented() -> None:
    assert [name[:5] for name in NAMES] == [f"m{i:03}_" for i in range(1, len(NAMES) + 1)]
    assert all(step.__doc__ for step in MIGRATIONS)


def test_every_older_version_has_its_file() -> None:
    assert sorted(file.stem for file in VERSIONS.glob("*.sql")) == NAMES[:-1]


def test_a_blank_file_gets_everything_once(tmp_path: Path) -> None:
    for _ in range(2):
        open_store(tmp_path).close()
        applied = sqlite3.connect(tmp_path / "store.db").execute("SELECT name FROM migrations ORDER BY 1").fetchall()
        assert [name for (name,) in applied] == NAMES


@pytest.mark.parametrize("name", NAMES[:-1])
def test_an_older_file_becomes_todays_and_keeps_its_content(name: str, tmp_path: Path, counting) -> None:
    folder = older(name, tmp_path / "old")
    open_store(tmp_path / "new").close()
    with open_store(folder) as store:
        assert schema(folder / "store.db") == schema(tmp_path / "new" / "store.db")
        shown = store.show()
        assert (shown.run.command, shown.run.params, shown.run.seed) == ("improve", {"task": "ledger"}, 7)
        assert shown.findings == {"accuracy": {"estimate": 0.5, "n": 200}}

        model = counting()
        model.fingerprint = "weights"
        session = store.cached(model).open()
        session.put(0, Sample(user("2+2?"), Sampling(temperature=0.7, seed=3)))
        ((_, reply),) = session.poll()
        assert (reply.text, model.asked) == ("4", [])


def test_a_failed_step_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = older(NAMES[0], tmp_path / "old")
    before = schema(folder / "store.db")

    def m999_breaks(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (x)")
        db.execute("no such statement")

    monkeypatch.setattr("whetstone.store.migrations.MIGRATIONS", (*MIGRATIONS, m999_breaks))
    with pytest.raises(StoreError, match="syntax error"):
        open_store(folder)
    assert schema(folder / "store.db") == before


def test_a_schema_of_the_future_says_to_upgrade(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "store.db")
    db.execute("INSERT INTO migrations VALUES ('m777_thoughts', '2030-01-01')")
    db.commit()
    with pytest.raises(StoreError, match=r"newer Whetstone \(m777_thoughts\); run `pip install -U whetstone`"):
        open_store(tmp_path)


def test_drive_works_on_a_migrated_file(tmp_path: Path, counting) -> None:
    with open_store(older(NAMES[0], tmp_path / "old")) as store:
        model = counting()
        first = drive({"a": sample(user("q"))}, {"policy": store.cached(model)})
        again = drive({"a": sample(user("q"))}, {"policy": store.cached(model)})
        assert first.results == again.results
        assert len(model.asked) == 1
