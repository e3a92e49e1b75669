"""The requests of all clients in one session, worked on in one thread, so that they share batches."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from whetstone.core.errors import Unsupported
from whetstone.models.serve.requests import Given, Reading, Wanted

TURN = 0.02
"""Seconds after which new requests are let in, if no reply lets them in before."""
FAILED = "the model failed while it answered; the server's log says how"


class Broken(Exception):
    """The session broke while it worked on a request."""


class Worked(Protocol):
    """A session of a model that is served."""

    def put(self, ticket: int, request: Wanted) -> None: ...
    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Given]]: ...
    def close(self) -> None: ...


@dataclass(eq=False)
class Call:
    """One client's requests, the replies so far, and where the client waits."""

    requests: Sequence[Wanted]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[Given]]
    replies: dict[int, Given] = field(default_factory=dict)


class Worker:
    """Answers calls in a thread of its own, which a session needs and which leaves the server free to listen.

    Args:
        open_session: makes a session; another one after a session broke.
        reads: whether its sessions take a `Reading`.

    Requests of a client that went away are finished and thrown away: a session cannot drop single requests.
    """

    def __init__(self, open_session: Callable[[], Worked], *, reads: bool) -> None:
        self.open_session, self.reads = open_session, reads
        self.inbox: SimpleQueue[Call | None] = SimpleQueue()
        self.calls: dict[int, tuple[Call, int]] = {}
        self.tickets = itertools.count()
        self.thread = threading.Thread(target=self._run, name="model", daemon=True)
        self.thread.start()

    async def ask(self, requests: Sequence[Wanted]) -> list[Given]:
        """Replies in the order of the requests."""
        loop = asyncio.get_running_loop()
        call = Call(requests, loop, loop.create_future())
        self.inbox.put(call)
        return await call.future

    def stop(self) -> None:
        """End the thread. Calls that wait are not answered."""
        self.inbox.put(None)
        self.thread.join(5)

    def _run(self) -> None:
        session = self.open_session()
        while self._let_in(session):
            try:
                done = session.poll(TURN)
            except Exception:  # whatever broke must reach the clients, and the next ones need a session
                traceback.print_exc(file=sys.stderr)
                error = Broken(FAILED)
                done = [(ticket, error) for ticket in self.calls]
                session.close()
                session = self.open_session()
            self._hand_out(done)
        session.close()

    def _let_in(self, session: Worked) -> bool:
        """Put what arrived into the session, waiting for it while there is nothing to do; False to end."""
        try:
            while True:
                call = self.inbox.get(block=not self.calls)
                if call is None:
                    return False
                for slot, request in enumerate(call.requests):
                    ticket = next(self.tickets)
                    self.calls[ticket] = call, slot
                    if isinstance(request, Reading) and not self.reads:
                        self._hand_out([(ticket, Unsupported("this model gives no log-probabilities of given texts"))])
                    else:
                        self._put(session, ticket, request)
        except Empty:
            return True

    def _put(self, session: Worked, ticket: int, request: Wanted) -> None:
        try:
            session.put(ticket, request)
        except Exception:  # one request that cannot be read must not end the thread, for which all others wait
            traceback.print_exc(file=sys.stderr)
            self._hand_out([(ticket, Broken(FAILED))])

    def _hand_out(self, done: Sequence[tuple[int, Given]]) -> None:
        whole: dict[asyncio.AbstractEventLoop, list[Call]] = {}
        for ticket, reply in done:
            call, slot = self.calls.pop(ticket)
            call.replies[slot] = reply
            if len(call.replies) == len(call.requests):
                whole.setdefault(call.loop, []).append(call)
        for loop, calls in whole.items():
            with suppress(RuntimeError):  # the server stopped meanwhile
                loop.call_soon_threadsafe(_settle, calls)


def _settle(calls: Sequence[Call]) -> None:
    for call in calls:
        if not call.future.done():
            call.future.set_result([call.replies[slot] for slot in range(len(call.requests))])
