"""The running rows: one numpy column a property, so that a step costs the same calls for one row or for hundreds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.types import Sample
from whetstone.models.engine.prompts import Prompted

Moves = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Slots, where their jobs came from, and of each job its own tokens and those that it shared and now has as its own."""


@dataclass(slots=True, eq=False)
class Job:
    """A `Sample` that waits or runs.

    Attributes:
        limit: what the context leaves of its `max_tokens`.
        stream: its random stream, once it is known.
    """

    ticket: int
    request: Sample
    prompted: Prompted
    limit: int
    stream: int = 0

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
        length: tokens of its own in the cache.
        shared: tokens of its prompt that it shares with its block of slots instead.
        made: tokens generated.
        reach: tokens of cache it may need.
        limit, temperature, top_k, top_p, stream: of the request.
        stop: number of its set of stop strings, 0 is none.
        wants: does it ask for log-probabilities?
        tokens: [slots, made] ids.
        stats: [slots, made, 3] log-probability, entropy, certainty.
        top_ids, top_logprobs: [slots, made, k] alternatives.
    """

    _columns = (
        "alive",
        "length",
        "shared",
        "made",
        "reach",
        "limit",
        "temperature",
        "top_k",
        "top_p",
        "stream",
        "stop",
        "wants",
    )
    _histories = ("tokens", "stats", "top_ids", "top_logprobs")

    def __init__(self, slots: int) -> None:
        self.jobs: list[Job | None] = [None] * slots
        self.count = self.live = 0
        self.alive = np.zeros(slots, bool)
        self.length = np.zeros(slots, np.int64)
        self.shared = np.zeros(slots, np.int64)
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

    def free(self, group: int) -> tuple[list[list[int]], list[int]]:
        """Free blocks of `group` slots, and the free slots in other blocks; the last ones are best filled first."""
        whole = self.alive.size // group * group
        partly = self.alive[:whole].reshape(-1, group).any(1)
        other = np.ones(self.alive.size, bool)
        other[:whole] = partly.repeat(group)
        slots: list[int] = np.flatnonzero(other & ~self.alive)[::-1].tolist()
        blocks = np.flatnonzero(~partly)[::-1].tolist()
        return [list(range(block * group, (block + 1) * group)) for block in blocks], slots

    def enter(self, slot: int, job: Job, stop: int, *, shared: bool) -> None:
        """Put a job into a free slot."""
        sampling = job.request.sampling
        self.jobs[slot], self.alive[slot] = job, True
        self.live += 1
        self.count = max(self.count, slot + 1)
        length = len(job.prompted.ids)
        self.length[slot], self.shared[slot] = (0, length) if shared else (length, 0)
        self.made[slot] = 0
        self.reach[slot], self.limit[slot] = job.reach, job.limit
        self.temperature[slot] = sampling.temperature
        self.top_k[slot], self.top_p[slot] = sampling.top_k, sampling.top_p
        self.stream[slot] = job.stream
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

    def regroup(self, group: int) -> Moves:
        """Move jobs that share a prompt into as few blocks of `group` slots as will do."""
        prompts: dict[int, list[int]] = {}
        for slot in np.flatnonzero(self.shared).tolist():
            job = self.jobs[slot]
            assert job is not None
            prompts.setdefault(id(job.prompted), []).append(slot)
        slots, sources = [], []
        for members in prompts.values():
            blocks = Counter(slot // group for slot in members).most_common()
            usable = [block * group + i for block, _ in blocks for i in range(group)]
            usable = [slot for slot in usable if slot < self.count and (self.shared[slot] or not self.alive[slot])]
            n = len(members)
            slots += [slot for slot in usable[:n] if not self.alive[slot]]
            sources += [slot for slot in usable[n:] if self.alive[slot]]
        return self._move(slots, sources, whole=False)

    def compact(self) -> Moves:
        """Move the last jobs into the free slots before them. A job that moves shares nothing any more."""
        slots = np.flatnonzero(~self.alive[: self.live]).tolist()
        sources = (self.live + np.flatnonzero(self.alive[self.live : self.count])).tolist()
        return self._move(slots, sources, whole=True)

    def _move(self, slots: list[int], sources: list[int], *, whole: bool) -> Moves:
        """Move jobs; `whole` makes the tokens that they shared their own."""
        lengths, shared = self.length[sources], self.shared[sources] * whole
        for name in (*self._columns, *self._histories):
            array: NDArray[Any] = getattr(self, name)
            array[slots] = array[sources]
        for slot, source in zip(slots, sources, strict=True):
            self.jobs[slot], self.jobs[source] = self.jobs[source], None
        self.length[slots] += shared
        self.shared[slots] -= shared
        self._blank(sources)
        self.count = int(np.flatnonzero(self.alive).max(initial=-1)) + 1
        return np.array(slots, np.int64), np.array(sources, np.int64), lengths, shared

    def _blank(self, slots: int | list[int]) -> None:
        """Free slots ask for nothing that costs time."""
        self.alive[slots], self.wants[slots], self.stop[slots] = False, False, 0
        self.length[slots], self.shared[slots], self.reach[slots] = 0, 0, 0
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
