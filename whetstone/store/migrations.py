"""The schema, as numbered steps. A step that was released is never edited: a change is a new step at the end."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection

from whetstone.core.errors import StoreError


def m001_runs_records_replies(db: Connection) -> None:
    """Runs, what they recorded, and replies by content."""
    db.execute(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, command TEXT NOT NULL, params TEXT NOT NULL, seed TEXT NOT NULL,"
        " versions TEXT NOT NULL, started TEXT NOT NULL, finished TEXT)"
    )
    db.execute(
        "CREATE TABLE records (id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
        " kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (run, kind, key))"
    )
    db.execute("CREATE TABLE replies (key BLOB PRIMARY KEY, reply BLOB NOT NULL)")


def m002_replies_keep_their_request(db: Connection) -> None:
    """A reply can be audited: which model was asked what. Unknown (NULL) for replies stored before."""
    db.execute("ALTER TABLE replies ADD COLUMN model TEXT")
    db.execute("ALTER TABLE replies ADD COLUMN request BLOB")


def m003_what_was_asked_and_what_was_stored(db: Connection) -> None:
    """What each run asked of each model, by role: requests and tokens paid for, and requests answered from here."""
    db.execute(
        "CREATE TABLE traffic (run TEXT NOT NULL, model TEXT NOT NULL, role TEXT NOT NULL, asked INTEGER NOT NULL,"
        " prompt INTEGER NOT NULL, completion INTEGER NOT NULL, stored INTEGER NOT NULL,"
        " PRIMARY KEY (run, model, role))"
    )


MIGRATIONS = (
    m001_runs_records_replies,
    m002_replies_keep_their_request,
    m003_what_was_asked_and_what_was_stored,
)


def migrate(db: Connection, file: Path) -> None:
    """Apply what is missing, inside the caller's transaction. Raises StoreError for a schema of the future."""
    db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    applied = {name for (name,) in db.execute("SELECT name FROM migrations")}
    if unknown := applied - {step.__name__ for step in MIGRATIONS}:
        raise StoreError(f"{file}: made by a newer Whetstone ({max(unknown)}); run `pip install -U whetstone`")
    for step in MIGRATIONS:
        if step.__name__ not in applied:
            step(db)
            db.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (step.__name__,))
