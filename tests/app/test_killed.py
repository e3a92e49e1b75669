"""A run on a real server, or on the embedded model, is killed with SIGKILL, again and again, and ends as if nothing had
happened: no reply that is in the store is ever asked for again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest
import uvicorn

from whetstone.app.cli import EXIT_LIMIT
from whetstone.core.types import Sample
from whetstone.store import open_store
from whetstone.store.encoding import decode_request, loads, unpack

PROGRAM = Path(__file__).with_name("asking.py")
MOMENTS = ("before", "half", "after")
Asked = tuple[str, int]


class Server:
    """Replies from (text, seed) alone, and kills whoever asks a certain request.

    Attributes:
        asked: every request in order, as (text, seed).
        answered: how often each was answered in full.
        kill: at which request, and whether before the reply, in its middle or just after it.
        process: whom.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answered: Counter[Asked] = Counter()
        self.kill: tuple[int, str] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        data, more = b"", True
        while more:
            event = await receive()
            data, more = data + event.get("body", b""), event.get("more_body", False)
        body = json.loads(data)
        asked = (body["messages"][-1]["content"], int(body.get("seed", 0)))
        self.asked.append(asked)
        # The killed one's requests are still coming in; nobody will read their replies.
        moment = self.kill[1] if self.kill and len(self.asked) >= self.kill[0] else ""
        digest = sha256(f"{asked}".encode()).hexdigest()
        await asyncio.sleep(int(digest[:2], 16) / 256 * 0.004)
        if moment == "before":
            self.strike()
        reply = json.dumps(self.reply(body, digest)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply[:40], "more_body": True})
        if moment == "half":
            self.strike()
        await send({"type": "http.response.body", "body": reply[40:]})
        self.answered[asked] += 1
        if moment == "after":
            self.strike()

    def reply(self, body: dict[str, Any], digest: str) -> dict[str, Any]:
        tokens = [f"{digest[2:10]}: the answer is ", str(int(digest[:2], 16) % 12)]
        content = [{"token": t, "logprob": -0.5, "top_logprobs": [{"token": t, "logprob": -0.5}]} for t in tokens]
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"content": "".join(tokens)}}
        if body.get("logprobs"):
            choice["logprobs"] = {"content": content}
        return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}

    def strike(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on a free port of the loopback, in a thread of its own."""
    app = Server()
    listening = socket.create_server(("127.0.0.1", 0))
    app.url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield app
    running.should_exit = True
    thread.join(5)


def start(server: Server, folder: Path, kill: tuple[int, str] | None = None) -> subprocess.Popen[bytes]:
    """Run the program; `kill` counts requests from now on."""
    return launch(server, kill, PROGRAM, folder, server.url, folder / "result")


def launch(
    server: Server, kill: tuple[int, str] | None, *argv: str | Path, out: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    server.kill = None if kill is None else (len(server.asked) + kill[0], kill[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
    server.process = subprocess.Popen([sys.executable, *argv], env=environment, stdout=out)
    return server.process


def stored(folder: Path) -> set[Asked]:
    """The requests whose replies are in the file, as another process sees them."""
    if not (folder / "store.db").exists():
        return set()
    db = sqlite3.connect(folder / "store.db")
    try:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'replies'").fetchone():
            return set()  # the file is there before its tables are
        requests = [decode_request(loads(unpack(body))) for (body,) in db.execute("SELECT request FROM replies")]
    finally:
        db.close()
    return {(r.prompt[-1].text, r.sampling.seed) for r in requests if isinstance(r, Sample)}


def test_killed_at_twenty_random_points(server: Server, tmp_path: Path) -> None:
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir(), rough.mkdir()
    assert start(server, calm).wait(120) == 0
    once = Counter(server.asked)
    assert len(once) > 300
    assert set(once.values()) == {1}, "undisturbed, nothing is asked twice"

    rng = Random(0)
    server.asked.clear()
    server.answered.clear()
    repeated = 0
    for i in range(20):
        kept, before = stored(rough), len(server.asked)
        left = len(once) - len(kept)
        # Anywhere from the first requests on, yet so that there is something left for every kill.
        point = 1 + int(rng.random() ** 2 * left / 3)
        process = start(server, rough, (point, MOMENTS[i % 3]))
        assert process.wait(120) == -signal.SIGKILL
        time.sleep(0.05)  # what is on its way to the server still arrives
        news = server.asked[before:]
        assert not kept & set(news), "a stored reply was asked for again"
        repeated += len(set(news) - stored(rough))
    assert not (rough / "result").exists()
    kept, before = stored(rough), len(server.asked)
    assert 0 < len(kept) < len(once)
    assert start(server, rough).wait(120) == 0
    assert not kept & set(server.asked[before:])

    assert (rough / "result").read_bytes() == (calm / "result").read_bytes()
    assert stored(rough) == stored(calm) == set(once)
    assert set(server.asked) == set(once)
    # Only what was on its way at a kill had to be asked again.
    assert len(server.asked) <= len(once) + repeated
    with open_store(rough) as store:
        booked = store.accounts()
    assert sum(account.asked for account in booked) == len(once), "every stored reply is booked once"
    assert sum(account.prompt + account.completion for account in booked) == 5 * len(once)


def test_a_command_that_was_killed_goes_on_by_its_id(server: Server, tmp_path: Path) -> None:
    cli, store = ("-m", "whetstone.app.cli"), tmp_path / "runs"
    spec = ["--model", f"openai/m@{server.url}?identity=here", "--task", "ledger:levels=3-4", "--limit", "30"]
    argv = [*cli, "solve", *spec, "--strategy", "self_consistency:n=8", "--json", "--store"]
    server.asked.clear()
    with (tmp_path / "calm.json").open("wb") as out:
        assert launch(server, None, *argv, str(tmp_path / "calm"), out=out).wait(120) == 0
    once = Counter(server.asked)
    assert set(once.values()) == {1}

    server.asked.clear()
    assert launch(server, (60, "half"), *argv, str(store)).wait(120) == -signal.SIGKILL
    resume = [*cli, "runs", "resume", "last", "--store", str(store)]
    kept, before = stored(store), len(server.asked)
    assert launch(server, (60, "after"), *resume).wait(120) == -signal.SIGKILL
    assert not kept & set(server.asked[before:])
    kept, before = stored(store), len(server.asked)
    with (tmp_path / "rough.json").open("wb") as out:
        assert launch(server, None, *resume, out=out).wait(120) == 0
    assert kept
    assert not kept & set(server.asked[before:])
    calm, rough = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("calm", "rough"))
    assert rough["strategies"][0]["answers"] == calm["strategies"][0]["answers"]
    assert rough["paid"] == calm["paid"], "what was paid before the kills counts"
    assert stored(store) == set(once)


def test_at_the_limit_every_reply_that_was_paid_for_is_stored(server: Server, tmp_path: Path) -> None:
    """With many requests in flight, none is cut off, none goes over, and the run goes on to its end."""
    cli, store = ("-m", "whetstone.app.cli"), tmp_path / "runs"
    spec = ["--model", f"openai/m@{server.url}?identity=here", "--task", "ledger:levels=3-4", "--limit", "60"]
    server.asked.clear()
    server.answered.clear()
    argv = [*cli, "solve", *spec, "--strategy", "self_consistency:n=8", "--max-tokens", "1800", "--store", str(store)]
    assert launch(server, None, *argv).wait(120) == EXIT_LIMIT
    kept = stored(store)
    assert set(server.asked) == set(server.answered) == kept
    assert 1000 < 5 * len(server.asked) <= 1800
    argv = [*cli, "runs", "resume", "last", "--max-tokens", "1M", "--store", str(store)]
    assert launch(server, None, *argv).wait(120) == 0
    assert Counter(server.asked).most_common(1)[0][1] == 1, "nothing was asked twice"
    assert len(server.asked) == 60 * 8


@pytest.mark.slow
def test_a_command_on_the_embedded_model_that_was_killed(server: Server, tmp_path: Path) -> None:
    cli, store = ("-m", "whetstone.app.cli"), tmp_path / "runs"
    spec = ["--model", "grit", "--task", "ledger:levels=3-8", "--limit", "200", "--strategy", "self_consistency:n=8"]
    with (tmp_path / "calm.json").open("wb") as out:
        assert (
            launch(server, None, *cli, "solve", *spec, "--json", "--store", str(tmp_path / "calm"), out=out).wait() == 0
        )
    resume = [*cli, "runs", "resume", "last", "--store", str(store)]
    for argv in ([*cli, "solve", *spec, "--json", "--store", str(store)], resume):
        before = len(stored(store))
        process = launch(server, None, *argv)
        while process.poll() is None and len(stored(store)) < before + 30:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    with (tmp_path / "rough.json").open("wb") as out:
        assert launch(server, None, *resume, out=out).wait() == 0
    calm, rough = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("calm", "rough"))
    assert rough["strategies"][0]["answers"] == calm["strategies"][0]["answers"]
    assert rough["paid"] == calm["paid"], "nothing that was stored was computed again"
