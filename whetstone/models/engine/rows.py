"""The running rows: one numpy column a property, so that a step costs the same calls for one row or for hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.types import Sample
from whetstone.models.engine.prompts import Prompted
from whetstone.models.engine.sampling import streams


@dataclass(slots=True, eq=False)
class Job:
    """A `Sample` that waits or runs; `limit` is what the context leaves of its `max_tokens`."""

    ticket: int
    request: Sample
    prompted: Prompted
    limit: int

    @property
    def reach(self) -> int:
        """The most tokens of cache it may need."""
        return len(self.prompted.ids) + self.limit


class Rows:
    """Columns over slots.

    Attributes:
        jobs: who runs in each slot; None where it is free.
        count: slots from here on are free.
        live: number of slots taken.
        alive: is the slot taken?
        length: tokens in the cache.
        made: tokens generated.
        reach: tokens of cache it may need.
        limit, temperature, top_k, top_p, stream: of the request.
        stop: number of its set of stop strings, 0 is none.
        wants: does it ask for log-probabilities?
        tokens: [slots, made] ids.
        stats: [slots, made, 3] log-probability, entropy, certainty.
        top_ids, top_logprobs: [slots, made, k] alternatives.
    """

    _columns = ("alive", "length", "made", "reach", "limit", "temperature", "top_k", "top_p", "stream", "stop", "wants")
    _histories = ("tokens", "stats", "top_ids", "top_logprobs")

    def __init__(self, slots: int) -> None:
        self.jobs: list[Job | None] = [None] * slots
        self.count = self.live = 0
        self.alive = np.zeros(slots, bool)
        self.length = np.zeros(slots, np.int64)
        self.made = np.zeros(slots, np.int64)
        self.reach = np.zeros(slots, np.int64)
        self.limit = np.zeros(slots, np.int64)
        self.temperature = np.ones(slots, np.float32)
        self.top_k = np.zeros(slots, np.int64)
        self.top_p = np.ones(slots, np.float32)
        self.stream = np.zeros(slots, np.uint64)
        self.stop = np.zeros(slots, np.int64)
        self.wants = np.zeros(slots, bool)
        self.tokens = np.zeros((slots, 0), np.int64)
        self.stats = np.zeros((slots, 0, 3), np.float32)
        self.top_ids = np.zeros((slots, 0, 0), np.int64)
        self.top_logprobs = np.zeros((slots, 0, 0), np.float32)

    def free(self) -> list[int]:
        """Free slots, lowest first."""
        slots: list[int] = np.flatnonzero(~self.alive).tolist()
        return slots

    def enter(self, slot: int, job: Job, stop: int) -> None:
        """Put a job into a free slot."""
        sampling = job.request.sampling
        self.jobs[slot], self.alive[slot] = job, True
        self.live += 1
        self.count = max(self.count, slot + 1)
        self.length[slot], self.made[slot] = len(job.prompted.ids), 0
        self.reach[slot], self.limit[slot] = job.reach, job.limit
        self.temperature[slot] = sampling.temperature
        self.top_k[slot], self.top_p[slot] = sampling.top_k, sampling.top_p
        self.stream[slot] = streams(np.array([sampling.seed], np.uint64))[0]
        self.stop[slot] = stop
        self.wants[slot] = sampling.logprobs is not None
        self._widen(job.limit, sampling.logprobs or 0)

    def leave(self, slot: int) -> None:
        """Free a slot."""
        self.jobs[slot] = None
        self.live -= 1
        self._blank(slot)
        while self.count and not self.alive[self.count - 1]:
            self.count -= 1

    def compact(self) -> tuple[list[int], list[int]]:
        """Move the last jobs into the free slots before them; returns those slots and where their jobs came from."""
        slots = np.flatnonzero(~self.alive[: self.live]).tolist()
        sources = (self.live + np.flatnonzero(self.alive[self.live : self.count])).tolist()
        for name in (*self._columns, *self._histories):
            array: NDArray[Any] = getattr(self, name)
            array[slots] = array[sources]
        for slot, source in zip(slots, sources, strict=True):
            self.jobs[slot], self.jobs[source] = self.jobs[source], None
        self._blank(slice(self.live, self.count))
        self.count = self.live
        return slots, sources

    def _blank(self, slots: int | slice) -> None:
        """Free slots ask for nothing that costs time."""
        self.alive[slots], self.wants[slots], self.stop[slots] = False, False, 0
        self.length[slots], self.reach[slots] = 0, 0
        self.temperature[slots], self.top_k[slots], self.top_p[slots] = 1.0, 0, 1.0

    def _widen(self, limit: int, k: int) -> None:
        """Make room for a history of `limit` tokens with `k` alternatives each."""
        width, k = max(limit, self.tokens.shape[1]), max(k, self.top_ids.shape[2])
        if width > self.tokens.shape[1]:
            self.tokens, self.stats = _grown(self.tokens, (width,)), _grown(self.stats, (width, 3))
        if k and self.top_ids.shape[1:] != (width, k):
            self.top_ids, self.top_logprobs = _grown(self.top_ids, (width, k)), _grown(self.top_logprobs, (width, k))


def _grown(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    grown = np.zeros((len(array), *shape), array.dtype)
    grown[tuple(map(slice, array.shape))] = array
    return grown
