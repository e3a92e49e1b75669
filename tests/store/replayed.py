"""A program to kill: 2,000 flows through the store. `python replayed.py FOLDER LOG RESULT [noisy]`.

The log gets one line for every request that the model answers; the result is written whole at the end. A noisy model
answers differently in every process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Generation, Reply, Request, Usage, user
from whetstone.store import open_store

FLOWS = 2000
BATCH = 64


class Session:
    def __init__(self, log: int, noise: str) -> None:
        self.log, self.noise = log, noise
        self.queue: list[tuple[int, Request]] = []

    def put(self, ticket: int, request: Request) -> None:
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        part, self.queue = self.queue[:BATCH], self.queue[BATCH:]
        names = [name(request) for _, request in part]
        os.write(self.log, "".join(f"{n}\n" for n in names).encode())
        return [(t, Generation(n + self.noise, usage=Usage(5, 2))) for (t, _), n in zip(part, names, strict=True)]

    def close(self) -> None:
        self.queue.clear()


class Model:
    name = fingerprint = "to be killed"

    def __init__(self, log: Path, noise: str) -> None:
        self.log, self.noise = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), noise

    def open(self) -> Session:
        return Session(self.log, self.noise)


def name(request: Request) -> str:
    """What a request is, in 16 letters."""
    return sha256(repr(request).encode()).hexdigest()[:16]


def walk(i: int) -> Flow[list[str]]:
    """Each turn depends on the reply before."""
    texts = [str(i)]
    while len(texts) < 4 and int(sha256(texts[-1].encode()).hexdigest()[:2], 16) < 160:
        replies = yield from sample(user(texts[-1]), n=2)
        texts.append(max(reply.text for reply in replies))
    return texts


if __name__ == "__main__":
    folder, log, result, *noisy = sys.argv[1:]
    with open_store(Path(folder)) as store:
        model = store.cached(Model(Path(log), f" by {os.getpid()}" if noisy else ""))
        done = drive(((f"walk/{i}", walk(i)) for i in range(FLOWS)), {"policy": model}, seed=11, window=256)
    half = Path(f"{result}.half")
    half.write_text(json.dumps({"results": done.results, "tokens": done.ledger.total, "spent": done.spent}))
    os.replace(half, result)
