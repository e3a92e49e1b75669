"""Full disks, read-only folders, damaged files: one line that says what to do, and nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from whetstone.core.errors import StoreError
from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Generation, user
from whetstone.store import Store, open_store


def fill(store: Store, spare: int) -> None:
    """From now on the file may grow by this many pages only."""
    pages = store._database.read("PRAGMA page_count")[0][0]
    store._database.read(f"PRAGMA max_page_count = {pages + spare}")


def long_reply(request: object) -> Generation:
    return Generation(os.urandom(3000).hex())


def turns(key: str) -> Flow[int]:
    for i in range(10):
        yield from sample(user(f"{key}{i}"))
    return 1


def test_a_full_disk_stops_with_one_line_and_keeps_what_was_answered(store: Store, counting) -> None:
    model = counting(long_reply, batch=3)
    fill(store, 40)
    with pytest.raises(StoreError, match=r"the disk is full; .*free some space, then resume") as caught:
        drive({key: turns(key) for key in "abcdef"}, {"policy": store.cached(model)})
    assert "\n" not in str(caught.value)
    assert model.sessions[0].closed
    answered = len(model.asked)
    assert 3 < answered < 60

    store._database.read("PRAGMA max_page_count = 1000000")
    done = drive({key: turns(key) for key in "abcdef"}, {"policy": store.cached(model)})
    assert len(done.results) == 6
    # Only the poll that could not be stored, and what was in flight with it, is asked again.
    assert 60 <= len(model.asked) <= 60 + 6


def test_a_full_disk_while_recording(store: Store) -> None:
    run = store.begin("run", {}, 0)
    fill(store, 3)
    with pytest.raises(StoreError, match="the disk is full"):
        run.add_many("outcome", ((str(i), os.urandom(2000).hex()) for i in range(100)))
    assert list(run.read("outcome")) == []
    store._database.read("PRAGMA max_page_count = 1000000")
    run.add("outcome", "later", "fits again")
    assert list(run.read("outcome")) == [("later", "fits again")]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot make this folder \(.*\); choose another"):
        open_store(tmp_path / "file" / "runs")


@pytest.mark.parametrize("existing", [False, True], ids=["blank", "existing"])
def test_a_read_only_folder(existing: bool) -> None:
    """In a child that gives up root's rights, which would ignore permissions."""
    folder = Path(tempfile.mkdtemp())
    if existing:
        with open_store(folder) as store:
            store.begin("run", {}, 0)
        os.chmod(folder / "store.db", 0o444)
    folder.chmod(0o555)
    code = (
        "import os, sys; from pathlib import Path; from whetstone.store import open_store\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: open_store(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"StoreError {folder / 'store.db'}: ")
        assert "make" in done.stdout
        assert done.stdout.endswith("writable or choose another folder\n")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("these are my notes " * 100)
    with pytest.raises(StoreError, match="this is not a run database; move the file away or choose another folder"):
        open_store(tmp_path)


def test_a_damaged_file(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        run = store.begin("run", {}, 0)
        run.add_many("signal", ((str(i), "x" * 500) for i in range(500)))
    file = tmp_path / "store.db"
    raw = bytearray(file.read_bytes())
    raw[4096 * 3 :] = os.urandom(len(raw) - 4096 * 3)
    file.write_bytes(raw)
    with pytest.raises(StoreError, match="the file is damaged; move it away and start anew, or restore a copy"):
        with open_store(tmp_path) as store:
            list(store.list()[0].read("signal"))


def test_a_file_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whetstone.store.database.BUSY_SECONDS", 0.05)
    with open_store(tmp_path) as store:
        holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds the file; end that process, then resume"):
            store.begin("run", {}, 0)
        holder.execute("ROLLBACK")
        store.begin("run", {}, 0)
