"""What happened: runs, their records and every reply, in one SQLite file that survives SIGKILL."""

from __future__ import annotations

from whetstone.store.cache import CachedModel
from whetstone.store.runs import RecordKind, Run
from whetstone.store.store import Account, Diff, Held, Merged, Shown, Store, open_store

__all__ = ["Account", "CachedModel", "Diff", "Held", "Merged", "RecordKind", "Run", "Shown", "Store", "open_store"]
