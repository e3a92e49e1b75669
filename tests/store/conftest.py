"""A model that counts, and an opened store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from whetstone.core.types import Generation, Reply, Request, Sample, Usage
from whetstone.store import Store, open_store


class CountingSession:
    def __init__(self, model: CountingModel) -> None:
        self.model, self.closed = model, False
        self.queue: list[tuple[int, Request]] = []
        model.sessions.append(self)

    def put(self, ticket: int, request: Request) -> None:
        self.model.asked.append(request)
        self.queue.append((ticket, request))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        self.model.timeouts.append(timeout)
        part, self.queue = self.queue[: self.model.batch], self.queue[self.model.batch :]
        return [(ticket, self.model.answer(request)) for ticket, request in part]

    def close(self) -> None:
        self.closed = True


class CountingModel:
    """Answers `batch` requests a poll with `answer(request)`; remembers what it was asked."""

    def __init__(self, answer: Callable[[Request], Reply | Exception] | None = None, batch: int = 1000) -> None:
        self.answer, self.batch = answer or echo, batch
        self.name, self.fingerprint = "counting", "weights-1"
        self.asked: list[Request] = []
        self.sessions: list[CountingSession] = []
        self.timeouts: list[float | None] = []

    def open(self) -> CountingSession:
        return CountingSession(self)

    def train(self) -> str:
        """As a trainable model's methods do, this changes the fingerprint."""
        self.fingerprint = f"{self.fingerprint}+"
        return self.fingerprint


def echo(request: Request) -> Generation:
    seed = request.sampling.seed if isinstance(request, Sample) else 0
    return Generation(f"{request.prompt[-1].text}/{seed}", usage=Usage(3, 2))


@pytest.fixture(scope="session")
def counting() -> type[CountingModel]:
    return CountingModel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "runs") as opened:
        yield opened
