"""One thread that keeps every server as busy as it can take and brings each request home: a reply or a named error."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from random import Random

import httpx2

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError, WhetstoneError
from whetstone.core.types import Reply, Request
from whetstone.models.http.endpoint import Endpoint, full_jitter
from whetstone.models.http.errors import (
    FATAL,
    GaveUp,
    NoCredit,
    Trouble,
    UnknownModel,
    Unreachable,
    WrongBaseUrl,
    refusal,
    unconnected,
)
from whetstone.models.http.settings import Settings
from whetstone.models.http.transport import Transport
from whetstone.models.http.wire import Asked, Changed, Wire

Answer = tuple[int, Reply | Exception]
FAULTS = 5
"""Attempts at a request that a server answers with nonsense."""
CHANGES = 12
"""Ways of asking that are tried before a request is given up."""


class Sink:
    """Where a session's replies are put, in lists; `closed` once nobody takes them."""

    def __init__(self) -> None:
        self.answers: SimpleQueue[list[Answer]] = SimpleQueue()
        self.closed = False


@dataclass(eq=False, slots=True)
class Call:
    """Requests that are asked together. `began` is the time of the first attempt, `faults` counts broken answers."""

    sink: Sink
    asked: list[tuple[int, Request]]
    began: float | None = None
    faults: int = 0
    changes: int = 0
    trouble: str = ""

    @property
    def requests(self) -> list[Request]:
        return [request for _, request in self.asked]


class Pool:
    """Servers of one model, asked from a thread of its own.

    Args:
        settings: where and how.
        wire: what is said.
        rng: draws the waiting times.
    """

    def __init__(self, settings: Settings, wire: Wire, rng: Random | None = None) -> None:
        self.settings, self.wire = settings, wire
        self.rng = rng or Random()
        self.counts: Counter[str] = Counter()
        tls = httpx2.create_ssl_context()
        secret = settings.secret()
        self.endpoints = [Endpoint(url, settings.concurrency, self.rng) for url in settings.urls]
        self.transports = {e: Transport(e.url, secret, tls) for e in self.endpoints}
        self.queue: deque[Call] = deque()
        self.outbox: dict[Sink, list[Answer]] = {}
        self.tasks: dict[asyncio.Task[None], Call] = {}
        self.turn = 0
        self.alarm: asyncio.TimerHandle | None = None
        self.loop = asyncio.new_event_loop()
        self.pid = os.getpid()
        self.thread = threading.Thread(target=self._run, name=f"whetstone {settings.model}", daemon=True)
        self.thread.start()

    # ---------------------------------------------------------------------------- from other threads

    @property
    def alive(self) -> bool:
        """Does its thread run in this process?"""
        return self.pid == os.getpid() and self.thread.is_alive()

    def submit(self, sink: Sink, groups: Iterable[list[tuple[int, Request]]]) -> None:
        """Ask groups of requests."""
        calls = [Call(sink, group) for group in groups]
        self.loop.call_soon_threadsafe(self._enter, calls)

    def revive(self) -> None:
        """Try servers again that were given up."""
        self.loop.call_soon_threadsafe(self._revive)

    def drop(self, sink: Sink) -> None:
        """Forget what a session still waits for."""
        sink.closed = True
        if self.alive:
            self.loop.call_soon_threadsafe(self._drop, sink)

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self.alive and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5.0)

    # ---------------------------------------------------------------------------- in the pool's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            for task in self.tasks:
                task.cancel()
            self.loop.run_until_complete(self._finish())
            self.loop.close()

    async def _finish(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for transport in self.transports.values():
            await transport.close()

    def _enter(self, calls: Sequence[Call]) -> None:
        self.queue.extend(calls)
        self._pump()

    def _revive(self) -> None:
        for endpoint in self.endpoints:
            if endpoint.dead is not None:
                endpoint.dead, endpoint.failing_since, endpoint.setbacks, endpoint.rests_until = None, None, 0, 0.0

    def _drop(self, sink: Sink) -> None:
        self.queue = deque(call for call in self.queue if call.sink is not sink)
        self.outbox.pop(sink, None)
        for task, call in self.tasks.items():
            if call.sink is sink:
                task.cancel()

    def _pump(self) -> None:
        """Start as many calls as the servers have room for."""
        now = self.loop.time()
        while self.queue:
            endpoint = self._next(now)
            if endpoint is None:
                break
            call = self.queue.popleft()
            if call.sink.closed:
                continue
            if call.began is not None and now - call.began > self.settings.deadline:
                self._give_up(call, f"no reply within {self.settings.deadline:.3g} seconds")
                continue
            endpoint.begin()
            task = self.loop.create_task(self._attempt(call, endpoint, now))
            self.tasks[task] = call
            task.add_done_callback(self._done)
        if self.queue:
            self._wait(now)

    def _next(self, now: float) -> Endpoint | None:
        """The next server, in turn, that has room."""
        count = len(self.endpoints)
        for i in range(count):
            endpoint = self.endpoints[(self.turn + i) % count]
            if endpoint.room(now):
                self.turn = (self.turn + i + 1) % count
                return endpoint
        return None

    def _wait(self, now: float) -> None:
        """See to it that calls which nobody can take now are started or answered later."""
        living = [endpoint for endpoint in self.endpoints if endpoint.dead is None]
        if not living:
            error = self.endpoints[-1].dead
            assert error is not None
            self._fail_all(error)
            return
        rest = min(endpoint.rests_until for endpoint in living) - now
        if rest > self.settings.deadline:
            asked = f"asks to wait {rest:.0f} seconds, longer than the deadline of {self.settings.deadline:.3g}"
            self._fail_all(GaveUp(f"{living[0].url} {asked}; try later or raise deadline"))
            return
        if rest > 0:
            if self.alarm is not None:
                self.alarm.cancel()
            self.alarm = self.loop.call_later(rest, self._pump)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        self._pump()

    # ---------------------------------------------------------------------------------- one attempt

    async def _attempt(self, call: Call, endpoint: Endpoint, now: float) -> None:
        call.began = now if call.began is None else call.began
        self.counts["calls"] += 1
        running = True
        try:
            asked = self.wire.ask(call.requests)
            replies = await self._ask(call, endpoint, asked, now)
            endpoint.succeed()
            running = False
            self._answer(call, replies)
        except Changed:
            endpoint.succeed()
            running = False
            if call.changes < CHANGES:
                self._again(call)
            else:
                self._give_up(call, f"refused in {CHANGES} ways of asking")
        except Trouble as trouble:
            running = False
            self._troubled(call, endpoint, trouble, now)
        except FATAL as error:
            if self._bury(endpoint, error):
                endpoint.dead = await self._explained(error, endpoint)
                self.queue.appendleft(call)
            else:
                self._fail(call, error)
        except Exception as error:
            self._fail(call, error)
        finally:
            if running:
                endpoint.end()

    async def _ask(self, call: Call, endpoint: Endpoint, asked: Asked, now: float) -> list[Reply | Exception]:
        """Replies to the call's first requests, or the error that its answer means."""
        began = now if call.began is None else call.began
        limit = max(min(self.settings.timeout, began + self.settings.deadline - now), 0.001)
        url = endpoint.url
        try:
            body = json.dumps(asked.body).encode()
            status, headers, data = await self.transports[endpoint].post(asked.path, body, limit)
        except TimeoutError:
            raise Trouble("busy", f"{url}: no whole reply within {limit:.3g} seconds") from None
        except (httpx2.HTTPError, OSError) as error:
            raise unconnected(error, url=url, answered=endpoint.answered) from None
        if status == 200:
            if data.lstrip()[:1] == b"<":
                raise WrongBaseUrl(
                    f"{url} answers with a web page; give the API's base URL, often one that ends in /v1"
                )
            return self.wire.read(call.requests, asked, data)
        settings, answered = self.settings, endpoint.answered
        said = refusal(status, headers, data, url=url, model=settings.model, key=settings.key, answered=answered)
        if not isinstance(said, Trouble) or (said.kind == "fault" and call.faults):
            said = self.wire.refused(call.requests, asked, data, said)
        raise said

    def _troubled(self, call: Call, endpoint: Endpoint, trouble: Trouble, began: float) -> None:
        """Ask again: at once where another server is free or this one has rested, after a while where it erred."""
        now = self.loop.time()
        self.counts[f"asked again: {trouble.kind}"] += 1
        call.trouble = str(trouble)
        if trouble.kind == "fault":
            endpoint.end()
            endpoint.answered = True
            call.faults += 1
            if call.faults >= FAULTS:
                self._give_up(call, f"no usable reply in {FAULTS} attempts")
                return
            self.loop.call_later(full_jitter(call.faults, self.rng), self._return, call)
            return
        endpoint.set_back(began, now, after=trouble.after, away=trouble.kind == "down")
        since = now if endpoint.failing_since is None else endpoint.failing_since
        if endpoint.hopeless and endpoint.dead is None:
            endpoint.dead = Unreachable(f"{trouble}; is the server running, and is this its base URL?")
        elif now - since > self.settings.deadline and endpoint.dead is None:
            endpoint.dead = GaveUp(f"{trouble}; nothing better for {now - since:.3g} seconds, see the server's log")
        self.queue.appendleft(call)

    def _bury(self, endpoint: Endpoint, error: Exception) -> bool:
        """Is this the end of a server? One that has answered is given up only where it could draw calls from others."""
        others = any(other.dead is None for other in self.endpoints if other is not endpoint)
        return not endpoint.answered or others or isinstance(error, NoCredit)

    async def _explained(self, error: Exception, endpoint: Endpoint) -> Exception:
        """An unknown model's error also says which models there are."""
        if not isinstance(error, UnknownModel):
            return error
        try:
            status, _, data = await self.transports[endpoint].get("/models", 5.0)
            names = [str(model["id"]) for model in read_json(data)["data"]] if status == 200 else []
        except (httpx2.HTTPError, OSError, ValueError, KeyError, TypeError, WhetstoneError):
            names = []
        if not names:
            return error
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        return UnknownModel(f"{error}; it serves {shown}")

    # ---------------------------------------------------------------------------------- bringing home

    def _answer(self, call: Call, replies: Sequence[Reply | Exception]) -> None:
        """Hand replies over; requests that the server left out are asked again."""
        for (ticket, _), reply in zip(call.asked, replies, strict=False):
            self._post(call.sink, ticket, reply)
        if len(replies) < len(call.asked):
            call.asked = call.asked[len(replies) :]
            self._again(call)

    def _again(self, call: Call) -> None:
        """Back to the front of the queue, grouped as the server is now known to take it."""
        for group in self.wire.groups(call.asked):
            self.queue.appendleft(Call(call.sink, group, call.began, call.faults, call.changes + 1))

    def _return(self, call: Call) -> None:
        self.queue.appendleft(call)
        self._pump()

    def _give_up(self, call: Call, why: str) -> None:
        last = f" (last: {call.trouble})" if call.trouble else ""
        self._fail(call, GaveUp(f"{self.settings.model}: {why}{last}; see the server's log, or raise deadline"))

    def _fail(self, call: Call, error: Exception) -> None:
        for ticket, _ in call.asked:
            self._post(call.sink, ticket, error)

    def _fail_all(self, error: Exception) -> None:
        waiting, self.queue = self.queue, deque()
        for call in waiting:
            self._fail(call, error)

    def _post(self, sink: Sink, ticket: int, reply: Reply | Exception) -> None:
        """Hand over everything that one turn of the loop brought in one piece: waking the driver is what costs."""
        if not self.outbox:
            self.loop.call_soon(self._send)
        self.outbox.setdefault(sink, []).append((ticket, reply))

    def _send(self) -> None:
        outbox, self.outbox = self.outbox, {}
        for sink, answers in outbox.items():
            sink.answers.put(answers)


class Stopped(ModelError):
    """The pool's thread ended while requests were under way."""
