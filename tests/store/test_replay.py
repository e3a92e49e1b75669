"""Resume is replay: killed at random points, a run ends as if nothing had happened and asks nothing twice."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from whetstone.store.encoding import decode_request, loads, unpack

PROGRAM = Path(__file__).with_name("replayed.py")
BATCH = 64


def start(folder: Path, log: str = "log", result: str = "result", *flags: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, PROGRAM, folder, folder / log, folder / result, *flags])


def lines(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def stored(folder: Path) -> set[str]:
    """Names of the requests whose replies are in the file."""
    if not (folder / "store.db").exists():
        return set()
    db = sqlite3.connect(folder / "store.db")
    try:
        return {named(body) for (body,) in db.execute("SELECT request FROM replies")}
    finally:
        db.close()


def named(body: bytes) -> str:
    return sha256(repr(decode_request(loads(unpack(body)))).encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(folder).wait(60) == 0
    return (folder / "result").read_text(), lines(folder / "log")


def test_killed_at_random_points(tmp_path: Path, undisturbed: tuple[str, list[str]]) -> None:
    result, asked = undisturbed
    assert len(asked) > 4000
    assert len(set(asked)) == len(asked)
    rng = random.Random(0)
    points = sorted(rng.sample(range(len(asked) * 9 // 10), 6))
    repeated = 0
    for point in points:
        kept, before = stored(tmp_path), len(lines(tmp_path / "log"))
        process = start(tmp_path)
        log = tmp_path / "log"
        while process.poll() is None and (not log.exists() or log.stat().st_size < 17 * point):
            time.sleep(0.002)
        time.sleep(rng.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        news = lines(log)[before:]
        assert not kept & set(news), "a stored reply was asked for again"
        # What was answered but not yet committed at the kill: one poll at most.
        lost = set(news) - stored(tmp_path)
        assert len(lost) <= BATCH
        repeated += len(lost)
    assert not (tmp_path / "result").exists()
    kept, before = stored(tmp_path), len(lines(tmp_path / "log"))
    assert start(tmp_path).wait(60) == 0
    assert not kept & set(lines(tmp_path / "log")[before:])
    assert (tmp_path / "result").read_text() == result
    everything = lines(tmp_path / "log")
    assert set(everything) == set(asked)
    assert len(everything) <= len(asked) + repeated
    assert stored(tmp_path) == set(asked)


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Each answers differently, yet both end with the same results: those that are stored."""
    pair = [start(tmp_path, f"log{i}", f"result{i}", "noisy") for i in range(2)]
    assert [process.wait(60) for process in pair] == [0, 0]
    first, second = ((tmp_path / f"result{i}").read_text() for i in range(2))
    assert first == second
    assert len(json.loads(first)["results"]) == 2000
    assert start(tmp_path, "log2", "result2", "noisy").wait(60) == 0
    assert (tmp_path / "result2").read_text() == first
    assert lines(tmp_path / "log2") == []
