"""A method is a flow: a generator that yields batches of requests and receives their replies.

A flow does no IO and knows no backend. `drive` runs many flows at once: a flow resumes as soon as its own batch
is answered, whatever its neighbours wait for. The seed of every request comes from (run seed, flow key, position),
so a result never depends on batch mates and a run can be replayed from its stored replies.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Generic, Protocol, TypeVar, cast

from whetstone.core.errors import BudgetExceeded
from whetstone.core.types import (
    Embed,
    Embedding,
    Failure,
    Generation,
    Media,
    Model,
    Prompt,
    Reply,
    Request,
    Sample,
    Sampling,
    Score,
    Session,
    Usage,
)

T = TypeVar("T")
Flow = Generator[Sequence[Request], Sequence[Reply], T]


def sample(
    prompt: Prompt, *, n: int = 1, sampling: Sampling = Sampling(), role: str = "policy"
) -> Flow[list[Generation]]:
    """Ask for `n` independent generations of one prompt."""
    replies = yield [Sample(prompt, sampling, role)] * n
    return cast(list[Generation], list(replies))


def score(prompt: Prompt, *continuations: str, role: str = "policy") -> Flow[list[Generation]]:
    """Ask for the log-probabilities of each continuation of one prompt."""
    replies = yield [Score(prompt, continuation, role) for continuation in continuations]
    return cast(list[Generation], list(replies))


def embed(prompt: Prompt, *, layer: int = -1, role: str = "policy") -> Flow[Embedding]:
    """Ask for one vector for the prompt."""
    replies = yield [Embed(prompt, layer, role)]
    return cast(Embedding, replies[0])


def gather(flows: Iterable[Flow[T]]) -> Flow[list[T]]:
    """Run flows side by side inside one flow, in lockstep, and return their results in order.

    Lockstep keeps the position of every request, and so its seed, independent of timing. Independent work on many
    examples belongs into separate flows of `drive`, which has no such barrier. A request that could not be answered
    is thrown into the flow that asked it; one that does not catch it ends them all.
    """
    live: dict[int, tuple[Flow[T], Sequence[Request]]] = {}
    done: dict[int, T] = {}

    def advance(i: int, flow: Flow[T], resume: Callable[[], Sequence[Request]]) -> None:
        live.pop(i, None)
        try:
            live[i] = (flow, resume())
        except StopIteration as stop:
            done[i] = stop.value

    for i, flow in enumerate(flows):
        advance(i, flow, partial(next, flow))
    while live:
        turn = sorted(live.items())
        replies = yield _Joint(request for _, (_, batch) in turn for request in batch)
        start = 0
        for i, (flow, batch) in turn:
            advance(i, flow, partial(_answer, flow, batch, replies[start : start + len(batch)]))
            start += len(batch)
    return [done[i] for i in sorted(done)]


class _Joint(list[Request]):
    """A batch of several flows: errors come among the replies, so that each flow gets its own."""


def _answer(flow: Flow[T], batch: Sequence[Request], replies: Sequence[Reply | Exception]) -> Sequence[Request]:
    """Resume a flow with the replies to its batch, or with their first error."""
    error = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if error is None or isinstance(batch, _Joint):
        return flow.send(cast(Sequence[Reply], replies))
    # One error may answer many flows: each starts a traceback of its own.
    return flow.throw(error.with_traceback(None))


@dataclass
class Ledger:
    """Tokens spent, by role. `budget` caps prompt plus completion tokens of all flows together."""

    budget: int | None = None
    prompt: dict[str, int] = field(default_factory=dict)
    completion: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    @property
    def total(self) -> int:
        return sum(self.prompt.values()) + sum(self.completion.values())

    def add(self, role: str, usage: Usage) -> None:
        """Book one answered request."""
        self.prompt[role] = self.prompt.get(role, 0) + usage.prompt
        self.completion[role] = self.completion.get(role, 0) + usage.completion
        self.requests += 1


@dataclass(frozen=True)
class Driven(Generic[T]):
    """What `drive` returns: results and failures by flow key (in the order given), tokens, seconds.

    `spent` is each flow's own tokens, prompt plus completion.
    """

    results: dict[str, T]
    failures: dict[str, Failure]
    ledger: Ledger
    spent: dict[str, int]
    seconds: float


Progress = Callable[[int, int, Ledger], None]


class Runner(Protocol):
    """`drive` bound to models, store, seed and budget by the caller of a loop or study.

    `name` prefixes every flow key, so that two phases never share a seed.
    """

    def __call__(self, name: str, flows: Mapping[str, Flow[T]]) -> Driven[T]:
        """Run the flows and return their results under the keys given here."""


@dataclass(frozen=True)
class Prefixed:
    """A runner whose phases carry a prefix, so that two arms of one experiment never share a seed."""

    runner: Runner
    prefix: str

    def __call__(self, name: str, flows: Mapping[str, Flow[T]]) -> Driven[T]:
        return self.runner(f"{self.prefix}/{name}", flows)


class _Live(Generic[T]):
    """One running flow: its batch in flight and what of it is answered."""

    __slots__ = ("batch", "bound", "flow", "key", "missing", "position", "replies", "spent")

    def __init__(self, key: str, flow: Flow[T]) -> None:
        self.key, self.flow = key, flow
        self.batch: list[Request] = []
        self.replies: list[Reply | Exception | None] = []
        self.missing = self.position = self.spent = self.bound = 0


def drive(
    flows: Mapping[str, Flow[T]] | Iterable[tuple[str, Flow[T]]],
    models: Mapping[str, Model],
    *,
    seed: int = 0,
    budget: int | None = None,
    flow_budget: int | None = None,
    window: int = 4096,
    progress: Progress | None = None,
) -> Driven[T]:
    """Run flows to their end against models.

    Args:
        flows: key -> flow, or an iterable of such pairs that is read lazily. A key names its flow in stored replies.
        models: role -> model; a role without a model of its own goes to "policy".
        seed: run seed.
        budget: cap on all tokens, prompt plus completion. A batch is reserved at its worst case; one that cannot fit
            even when nothing else is in flight gets `BudgetExceeded` thrown at its `yield`. Which flows that hits
            depends on timing, and so may differ in a replay.
        flow_budget: the same cap for each flow by itself; a replay ends the same.
        window: how many flows are alive at once (bounds memory).
        progress: called about ten times a second with (flows done, flows started, ledger).

    Returns:
        Results and failures by key. A flow that raises becomes a `Failure`; its neighbours live on.
    """
    return _Driver[T](models, seed, Ledger(budget), flow_budget, progress).run(flows, window)


class _Driver(Generic[T]):
    def __init__(
        self,
        models: Mapping[str, Model],
        seed: int,
        ledger: Ledger,
        flow_budget: int | None,
        progress: Progress | None,
    ) -> None:
        self.models, self.seed, self.ledger = models, seed, ledger
        self.flow_budget, self.progress = flow_budget, progress
        self.capped = ledger.budget is not None or flow_budget is not None
        self.sessions: dict[int, Session] = {}
        self.pending: dict[int, int] = {}
        self.tickets: dict[int, tuple[_Live[T], int, int]] = {}
        self.next_ticket = self.reserved = self.alive = 0
        self.waiting: deque[_Live[T]] = deque()
        self.results: dict[str, T] = {}
        self.failures: dict[str, Failure] = {}
        self.spent: dict[str, int] = {}

    def run(self, flows: Mapping[str, Flow[T]] | Iterable[tuple[str, Flow[T]]], window: int) -> Driven[T]:
        began = shown = time.monotonic()
        source = iter(flows.items() if isinstance(flows, Mapping) else flows)
        more = True
        try:
            while True:
                while more and self.alive < window:
                    pair = next(source, None)
                    if pair is None:
                        more = False
                    else:
                        self.start(*pair)
                self.admit_waiting()
                if not self.tickets and not more and not self.alive:
                    break
                self.collect()
                now = time.monotonic()
                if self.progress and now - shown > 0.1:
                    shown = now
                    self.progress(len(self.results) + len(self.failures), len(self.spent), self.ledger)
        finally:
            for session in self.sessions.values():
                session.close()
        if self.progress:
            self.progress(len(self.results) + len(self.failures), len(self.spent), self.ledger)
        ordered = {key: self.results[key] for key in self.spent if key in self.results}
        failures = {key: self.failures[key] for key in self.spent if key in self.failures}
        return Driven(ordered, failures, self.ledger, self.spent, time.monotonic() - began)

    def start(self, key: str, flow: Flow[T]) -> None:
        if key in self.spent:
            raise ValueError(f"two flows are called {key!r}")
        self.spent[key] = 0
        self.alive += 1
        self.advance(_Live(key, flow), lambda: next(flow))

    def advance(self, live: _Live[T], resume: Callable[[], Sequence[Request]]) -> None:
        """Run a flow to its next non-empty batch, its end or its failure."""
        try:
            batch = resume()
            while not batch:
                batch = live.flow.send([])
            stamped = (stamp(request, self.seed, live.key, live.position + i) for i, request in enumerate(batch))
            live.batch = _Joint(stamped) if isinstance(batch, _Joint) else list(stamped)
            live.position += len(batch)
            live.bound = sum(map(worst_case, live.batch)) if self.capped else 0
        except StopIteration as stop:
            self.alive -= 1
            self.results[live.key] = stop.value
            return
        except Exception as error:
            self.alive -= 1
            trace = "".join(traceback.format_exception(error))
            self.failures[live.key] = Failure(live.key, type(error).__name__, str(error), trace)
            return
        if self.flow_budget is not None and live.spent + live.bound > self.flow_budget:
            self.refuse(live, self.flow_budget)
        else:
            self.waiting.append(live)

    def refuse(self, live: _Live[T], budget: int) -> None:
        error = BudgetExceeded(f"{live.key}: the next {len(live.batch)} requests do not fit in {budget} tokens")
        self.advance(live, lambda: live.flow.throw(error))

    def admit_waiting(self) -> None:
        """Send batches as long as the budget holds; refuse one only when nothing in flight could free tokens."""
        while self.waiting:
            live, budget = self.waiting[0], self.ledger.budget
            if budget is not None and self.ledger.total + self.reserved + live.bound > budget:
                if self.tickets:
                    return
                self.waiting.popleft()
                self.refuse(live, budget)
                continue
            self.waiting.popleft()
            self.reserved += live.bound
            live.replies = [None] * len(live.batch)
            live.missing = len(live.batch)
            for slot, request in enumerate(live.batch):
                model = self.models.get(request.role) or self.models["policy"]
                if id(model) not in self.sessions:
                    self.sessions[id(model)] = model.open()
                self.tickets[self.next_ticket] = (live, slot, id(model))
                self.pending[id(model)] = self.pending.get(id(model), 0) + 1
                self.sessions[id(model)].put(self.next_ticket, request)
                self.next_ticket += 1

    def collect(self) -> None:
        busy = [m for m, count in self.pending.items() if count]
        for m in busy:
            for ticket, reply in self.sessions[m].poll(None if len(busy) == 1 else 0.01):
                self.deliver(ticket, reply)

    def deliver(self, ticket: int, reply: Reply | Exception) -> None:
        live, slot, m = self.tickets.pop(ticket)
        self.pending[m] -= 1
        live.replies[slot] = reply
        live.missing -= 1
        if not isinstance(reply, Exception):
            self.ledger.add(live.batch[slot].role, reply.usage)
            live.spent += reply.usage.prompt + reply.usage.completion
        if live.missing:
            return
        self.reserved -= live.bound
        self.spent[live.key] = live.spent
        replies, live.replies = live.replies, []
        self.advance(live, lambda: _answer(live.flow, live.batch, cast(list[Reply | Exception], replies)))


def stamp(request: Request, seed: int, key: str, position: int) -> Request:
    """Give a sampled request its seed; greedy ones get 0, since they do not depend on it."""
    if not isinstance(request, Sample):
        if not isinstance(request, (Score, Embed)):
            raise TypeError(f"a flow yields batches of requests, not of {type(request).__name__}")
        return request
    value = 0
    if request.sampling.temperature > 0:
        digest = sha256(f"{seed}/{key}/{position}".encode()).digest()
        value = int.from_bytes(digest[:4], "big") >> 1
    return replace(request, sampling=replace(request.sampling, seed=value))


def worst_case(request: Request) -> int:
    """An upper bound on a request's tokens: bytes of text in, `max_tokens` out."""
    size = sum(len(message.text.encode()) + 8 for message in request.prompt)
    size += sum(2048 for message in request.prompt for part in message.parts if isinstance(part, Media))
    if isinstance(request, Sample):
        return size + request.sampling.max_tokens
    return size + (len(request.continuation.encode()) if isinstance(request, Score) else 0)
