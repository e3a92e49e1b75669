"""A model behind OpenAI-compatible servers."""

from __future__ import annotations

import json
import weakref
from hashlib import sha256
from queue import Empty
from random import Random

from whetstone.core.types import Reply, Request
from whetstone.models.http.pool import Answer, Pool, Sink, Stopped
from whetstone.models.http.settings import Settings, parse
from whetstone.models.http.wire import Wire

HEARTBEAT = 1.0


class HttpModel:
    """Asks servers over HTTP, as many requests at once as they take.

    Args:
        settings: which model, where, and how to ask.
        rng: draws the waiting times before repeated calls.

    Raises:
        MissingKey: OpenAI's own servers are asked without a key, or the variable that should hold one is empty.

    Connections are opened at the first request and kept for later sessions.
    """

    def __init__(self, settings: Settings, *, rng: Random | None = None) -> None:
        settings.secret()
        self.settings = settings
        self.name = f"openai/{settings.model}"
        self.wire = Wire(settings)
        self._rng = rng
        self._pool: Pool | None = None

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides over replies: model, servers (or `identity`) and the ways of asking."""
        s = self.settings
        where = s.identity or sorted(s.urls)
        content = ["openai", s.model, where, s.api, s.scoring, s.schema, dict(s.extra), s.choices]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """Calls, repeated calls, and whatever was left out or came back unusable, by reason."""
        pool = dict(self._pool.counts) if self._pool is not None else {}
        return {name: count for name, count in (pool | dict(self.wire.seen)).items() if count}

    def open(self) -> HttpSession:
        """Start a session."""
        if self._pool is None or not self._pool.alive:
            self._pool = Pool(self.settings, self.wire, self._rng)
            weakref.finalize(self, self._pool.stop)
        else:
            self._pool.revive()
        return HttpSession(self, self._pool)

    def close(self) -> None:
        """Close all connections; a later session opens new ones."""
        if self._pool is not None:
            self._pool.stop()


class HttpSession:
    """Requests of one driver. They leave at the next poll, all together."""

    def __init__(self, model: HttpModel, pool: Pool) -> None:
        self.model, self.pool = model, pool
        self.sink = Sink()
        self.fresh: list[tuple[int, Request]] = []
        self.missing = 0

    def put(self, ticket: int, request: Request) -> None:
        self.fresh.append((ticket, request))

    def poll(self, timeout: float | None = None) -> list[tuple[int, Reply | Exception]]:
        """Wait for replies, `timeout` seconds at most.

        Raises:
            Stopped: the connections were closed meanwhile.
        """
        if self.fresh:
            self.missing += len(self.fresh)
            self.pool.submit(self.sink, self.pool.wire.groups(self.fresh))
            self.fresh = []
        done = self._wait(timeout) if self.missing else []
        while not self.sink.answers.empty():
            done += self.sink.answers.get()
        self.missing -= len(done)
        return done

    def close(self) -> None:
        self.fresh.clear()
        self.pool.drop(self.sink)

    def _wait(self, timeout: float | None) -> list[Answer]:
        while True:
            try:
                return self.sink.answers.get(timeout=HEARTBEAT if timeout is None else timeout)
            except Empty:
                if not self.pool.alive:
                    raise Stopped(f"{self.pool.settings.model}: the connections were closed") from None
                if timeout is not None:
                    return []


def load_http(spec: str) -> HttpModel:
    """The model that `MODEL[@URL[,URL ...]][?option=value&...]` names; see `Settings` for the options.

    Raises:
        ConfigError: an option or a URL is wrong.
        MissingKey: the servers need a key that the environment does not hold.
    """
    return HttpModel(parse(spec))
