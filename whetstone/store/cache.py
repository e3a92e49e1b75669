"""A model whose replies are stored: what was answered once is never asked again.

Stored replies make a resumed run a replay. A reply is committed before it is handed on, so a killed process loses
none that a flow has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whetstone.core.types import Model, Reply, Request, Session
from whetstone.store.database import Database, text
from whetstone.store.encoding import (
    decode_reply,
    dumps,
    encode_reply,
    encode_request,
    key_of,
    loads,
    pack,
    unpack,
)

FIND = "SELECT key, reply FROM replies WHERE key IN ({keys})"
COUNT = (
    "INSERT INTO traffic (run, model, role, asked, prompt, completion, stored)"
    " VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?) ON CONFLICT (run, model, role) DO UPDATE SET"
    " asked = asked + excluded.asked, prompt = prompt + excluded.prompt,"
    " completion = completion + excluded.completion, stored = stored + excluded.stored"
)
KEEP = "INSERT OR IGNORE INTO replies (key, model, request, reply) VALUES (?, CAST(? AS TEXT), ?, ?)"


@dataclass
class Traffic:
    """Requests answered from the store (`hits`) and by the model (`misses`); `shared` ones waited for another's."""

    hits: int = 0
    misses: int = 0
    shared: int = 0


class CachedModel:
    """A model behind the store. Every other attribute is the wrapped model's own, which is `inner`.

    What is asked and what is answered from the store is booked under the id `run`.
    """

    def __init__(self, inner: Model, database: Database, traffic: Traffic, run: str = "") -> None:
        self.inner, self._database, self._traffic, self._run = inner, database, traffic, run

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    def open(self) -> Session:
        return _CachedSession(self.inner, self._database, self._traffic, self._run)

    def __getattr__(self, name: str) -> Any:
        # `inner` itself is missing while an instance is being copied or unpickled.
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class _CachedSession:
    def __init__(self, model: Model, database: Database, traffic: Traffic, run: str) -> None:
        self._model, self._database, self._traffic, self._run = model, database, traffic, run
        self._stored: Counter[str] = Counter()
        self._session: Session | None = None
        self._fresh: dict[bytes, _Asked] = {}
        self._asked: dict[bytes, _Asked] = {}
        self._by_ticket: dict[int, _Asked] = {}
        self._refused: list[tuple[int, Exception]] = []

    def put(self, ticket: int, request: Request) -> None:
        try:
            body = dumps(encode_request(request))
        except Exception as error:
            # A malformed request is its own flow's failure, not its neighbours'.
            self._refused.append((ticket, error))
            return
        # Read at every put: training changes it.
        key = key_of(self._model.fingerprint, body)
        waiting = self._asked.get(key) or self._fresh.get(key)
        if waiting is None:
            self._fresh[key] = _Asked(key, ticket, request, body)
        else:
            waiting.also.append(ticket)
            self._traffic.shared += 1

    def poll(self, timeout: float | None = None) -> Sequence[tuple[int, Reply | Exception]]:
        done: list[tuple[int, Reply | Exception]] = list(self._refused)
        self._refused.clear()
        if self._fresh:
            done += self._from_store()
        if done or not self._by_ticket or self._session is None:
            return done
        return self._keep(self._session.poll(timeout))

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        if self._stored:
            with self._database.transaction():
                self._count([])

    def _from_store(self) -> list[tuple[int, Reply | Exception]]:
        """Answer what is stored; send the rest on."""
        fresh, self._fresh = self._fresh, {}
        done: list[tuple[int, Reply | Exception]] = []
        for key, packed in self._database.look_up(FIND, list(fresh)):
            asked = fresh.pop(key)
            done += asked.answered(decode_reply(loads(unpack(packed))))
            self._stored[asked.request.role] += 1
            self._traffic.hits += 1
        for key, asked in fresh.items():
            if self._session is None:
                self._session = self._model.open()
            self._asked[key] = self._by_ticket[asked.ticket] = asked
            self._session.put(asked.ticket, asked.request)
        self._traffic.misses += len(fresh)
        return done

    def _keep(self, replies: Sequence[tuple[int, Reply | Exception]]) -> list[tuple[int, Reply | Exception]]:
        """Store what the model answered, in one transaction, then hand it on."""
        done = []
        for ticket, reply in replies:
            asked = self._by_ticket.pop(ticket)
            del self._asked[asked.key]
            done.append((asked, reply))
        name = text(self._model.name)
        rows = [
            (asked.key, name, pack(asked.body), pack(dumps(encode_reply(reply))))
            for asked, reply in done
            if not isinstance(reply, Exception)
        ]
        stored: dict[bytes, Reply] = {}
        kept = 0
        if rows:
            with self._database.transaction():
                kept = self._database.execute_many(KEEP, rows)
                self._count(done)
        if kept < len(rows):
            # Another process answered first: its reply is the one that a replay will see.
            for key, packed in self._database.look_up(FIND, [row[0] for row in rows]):
                stored[key] = decode_reply(loads(unpack(packed)))
        return [pair for asked, reply in done for pair in asked.answered(stored.get(asked.key, reply))]

    def _count(self, done: Sequence[tuple[_Asked, Reply | Exception]]) -> None:
        """Book what was paid for, together with the replies, and what was answered from the store since the last time.

        A killed process loses at most the count of the latter.
        """
        rows = {role: [0, 0, 0, stored] for role, stored in self._stored.items()}
        self._stored.clear()
        for asked, reply in done:
            if not isinstance(reply, Exception):
                row = rows.setdefault(asked.request.role, [0, 0, 0, 0])
                row[0] += 1
                row[1] += reply.usage.prompt
                row[2] += reply.usage.completion
        name = text(self._model.name)
        self._database.execute_many(COUNT, [(self._run, name, text(role), *row) for role, row in rows.items()])


class _Asked:
    """A request in flight and the tickets that wait for its reply."""

    __slots__ = ("also", "body", "key", "request", "ticket")

    def __init__(self, key: bytes, ticket: int, request: Request, body: bytes) -> None:
        self.key, self.ticket, self.request, self.body = key, ticket, request, body
        self.also: list[int] = []

    def answered(self, reply: Reply | Exception) -> list[tuple[int, Reply | Exception]]:
        return [(ticket, reply) for ticket in (self.ticket, *self.also)]
