"""A model whose replies are a function of the request, and one that answers late."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from whetstone.core.types import Generation, Reply, Request, Sample, Usage


class FakeSession:
    def __init__(self, model: FakeModel) -> None:
        self.model, self.clock = model, 0
        self.queue: list[tuple[int, int, Request]] = []
        self.closed = False
        model.sessions.append(self)

    def put(self, ticket: int, request: Request) -> None:
        self.model.asked.append(request)
        self.queue.append((self.clock + self.model.delay(request), ticket, request))

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        """Each poll is one tick; a request is answered when its delay is over."""
        assert self.queue, "polled with nothing in flight"
        self.clock = max(self.clock + 1, min(due for due, _, _ in self.queue))
        ready = [(ticket, self.model.answer(request)) for due, ticket, request in self.queue if due <= self.clock]
        self.queue = [entry for entry in self.queue if entry[0] > self.clock]
        self.model.polls.append([ticket for ticket, _ in ready])
        return ready

    def close(self) -> None:
        self.closed = True


class FakeModel:
    """Answers `answer(request)` after `delay(request)` polls; remembers what it was asked."""

    def __init__(
        self,
        answer: Callable[[Request], Reply | Exception] | None = None,
        delay: Callable[[Request], int] = lambda request: 1,
        name: str = "fake",
    ) -> None:
        self.answer, self.delay = answer or echo, delay
        self.name = self.fingerprint = name
        self.asked: list[Request] = []
        self.polls: list[list[int]] = []
        self.sessions: list[FakeSession] = []

    def open(self) -> FakeSession:
        return FakeSession(self)


def echo(request: Request) -> Generation:
    """The prompt and the seed: equal requests, equal replies."""
    seed = request.sampling.seed if isinstance(request, Sample) else 0
    return Generation(f"{request.prompt[-1].text}/{seed}", usage=Usage(3, 2))


@pytest.fixture(scope="session")
def fake() -> type[FakeModel]:
    return FakeModel
