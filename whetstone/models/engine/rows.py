"""The running rows: one numpy column a property, so that a step costs the same calls for one row or for hundreds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.types import Sample
from whetstone.models.engine.cache import Slots
from whetstone.models.engine.prompted import Prompted
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
        jobs: who runs in each slot.
        count: number of rows; they are in the first slots.
        made: tokens generated.
        reach: tokens of cache it may need.
        limit, temperature, top_k, top_p, stream: of the request.
        stop: number of its set of stop strings, 0 is none.
        wants: does it ask for log-probabilities?
        tokens: [slots, made] ids.
        stats: [slots, made, 3] log-probability, entropy, certainty.
        top_ids, top_logprobs: [slots, made, k] alternatives.
    """

    _columns = ("made", "reach", "limit", "temperature", "top_k", "top_p", "stream", "stop", "wants")
    _histories = ("tokens", "stats", "top_ids", "top_logprobs")

    def __init__(self, slots: int) -> None:
        self.jobs: list[Job] = []
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

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.jobs)

    def enter(self, jobs: Sequence[Job], stops: Sequence[int]) -> Slots:
        """Put jobs, with the numbers of their sets of stop strings, into the next slots; returns these."""
        slots = np.arange(self.count, self.count + len(jobs))
        samplings = [job.request.sampling for job in jobs]
        self.jobs += jobs
        self.made[slots] = 0
        self.reach[slots], self.limit[slots] = [job.reach for job in jobs], [job.limit for job in jobs]
        self.temperature[slots] = [sampling.temperature for sampling in samplings]
        self.top_k[slots] = [sampling.top_k for sampling in samplings]
        self.top_p[slots] = [sampling.top_p for sampling in samplings]
        self.stream[slots] = streams(np.array([sampling.seed for sampling in samplings], np.uint64))
        self.stop[slots] = stops
        self.wants[slots] = [sampling.logprobs is not None for sampling in samplings]
        self._widen(max(job.limit for job in jobs), max(sampling.logprobs or 0 for sampling in samplings))
        return slots

    def leave(self, slots: Slots) -> tuple[Slots, Slots]:
        """Free slots, and move the last rows into those before them; returns the filled slots and where from."""
        left = np.zeros(self.count, bool)
        left[slots] = True
        count = self.count - slots.size
        filled, sources = np.flatnonzero(left[:count]), count + np.flatnonzero(~left[count:])
        for name in (*self._columns, *self._histories):
            array: NDArray[Any] = getattr(self, name)
            array[filled] = array[sources]
        for slot, source in zip(filled.tolist(), sources.tolist(), strict=True):
            self.jobs[slot] = self.jobs[source]
        del self.jobs[count:]
        return filled, sources

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
