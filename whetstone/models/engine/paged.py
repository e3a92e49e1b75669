"""The cache of networks that attend to pages: which row has which pages, and which rows share those of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.models.engine.attention import Plan, Side, plan
from whetstone.models.engine.cache import Slots
from whetstone.models.engine.pages import PAGE, Pages
from whetstone.models.engine.prompted import KV, Prefill, Prompted

SEATS = 16
"""Most rows that share one copy of a prompt."""
SHARERS = 4
"""So many requests of one prompt make it worth sharing: every seat costs time, taken or not."""


@dataclass(slots=True, eq=False)
class Shared:
    """A copy of a prompt, its pages, and the seats that no row has taken."""

    prompted: Prompted
    pages: NDArray[np.int64]
    free: list[int]


class PagedCache:
    """Rows with pages of their own, after pages of a prompt that they share with others.

    Args:
        like: keys and values of the same kind.
        slots: most rows.
        query_heads: how many there are in all; each `query_heads / heads` of them ask one head.

    Attributes:
        length: [slots] tokens of each row.
        told: [slots] how many of them are in shared pages.
    """

    def __init__(self, like: KV, slots: int, query_heads: int) -> None:
        self.query_heads = query_heads
        self.own, self.shared = Pages(like), Pages(like)
        self.length = np.zeros(slots, np.int64)
        self.told = np.zeros(slots, np.int64)
        self.seat = np.zeros(slots, np.int64)
        self.own_table = np.full((slots, 0), -1)
        self.shared_table = np.full((slots, 0), -1)
        self.member: list[Shared | None] = [None] * slots
        self.open: dict[Prompted, Shared] = {}

    @property
    def tokens(self) -> int:
        """Tokens for which it holds memory."""
        return (self.own.used.size + self.shared.used.size) * PAGE

    # ---------------------------------------------------------------------------------- rows

    def enter(self, slots: Slots, prompts: Sequence[Prompted], prefill: Prefill) -> None:
        """Let rows share their prompts where enough others need them, or copy the prompts into pages of their own."""
        own: list[tuple[int, int, int]] = []
        shared: list[tuple[int, int, int]] = []
        for slot, prompted in zip(slots.tolist(), prompts, strict=True):
            count = -(-len(prompted.ids) // PAGE)
            self.length[slot] = len(prompted.ids)
            copy = self.open.get(prompted)
            if copy is None and prompted.users < SHARERS:
                pages = self.own.take(count)
                own += [(page, prompted.row, chunk) for chunk, page in enumerate(pages.tolist())]
                self.own_table = _widened(self.own_table, count)
                self.own_table[slot, :count] = pages
                continue
            if copy is None:
                pages = self.shared.take(count)
                shared += [(page, prompted.row, chunk) for chunk, page in enumerate(pages.tolist())]
                copy = self.open[prompted] = Shared(prompted, pages, list(range(SEATS)))
            self.told[slot], self.seat[slot], self.member[slot] = len(prompted.ids), copy.free.pop(), copy
            self.shared_table = _widened(self.shared_table, count)
            self.shared_table[slot, :count] = copy.pages
            if not copy.free:
                del self.open[prompted]
        for pool, pieces in ((self.own, own), (self.shared, shared)):
            if pieces:
                pages, rows, chunks = np.array(pieces).T
                pool.fill(pages, prefill.past, rows, chunks)

    def leave(self, slots: Slots) -> None:
        """Free slots and their pages."""
        pages = self.own_table[slots]
        self.own.free(pages[pages >= 0])
        for slot in slots.tolist():
            copy = self.member[slot]
            if copy is None:
                continue
            copy.free.append(int(self.seat[slot]))
            if len(copy.free) < SEATS:
                if copy.prompted.users:
                    self.open.setdefault(copy.prompted, copy)
                continue
            self.shared.free(copy.pages)
            if self.open.get(copy.prompted) == copy:
                del self.open[copy.prompted]
        self._blank(slots)

    def move(self, slots: Slots, sources: Slots) -> None:
        """Hand rows over to free slots; their pages stay where they are."""
        for column in (self.length, self.told, self.seat, self.own_table, self.shared_table):
            column[slots] = column[sources]
        for slot, source in zip(slots.tolist(), sources.tolist(), strict=True):
            self.member[slot] = self.member[source]
        self._blank(sources)

    def _blank(self, slots: Slots) -> None:
        self.length[slots] = self.told[slots] = 0
        self.own_table[slots] = self.shared_table[slots] = -1
        for slot in slots.tolist():
            self.member[slot] = None

    # ---------------------------------------------------------------------------------- reading

    def plan(self, rows: int) -> Plan:
        """Make room for one more token of the first rows, count it, and prepare to read it."""
        self._compact()
        told = self.told[:rows]
        own = self.length[:rows] - told
        new = np.flatnonzero(own % PAGE == 0)
        self.own_table = _widened(self.own_table, int(own.max()) // PAGE + 1)
        self.own_table[new, own[new] // PAGE] = self.own.take(new.size)
        self.length[:rows] += 1
        shared = Side(self.shared, self.shared_table[:rows], told, self.seat[:rows], SEATS)
        return plan(Side(self.own, self.own_table[:rows], own + 1, np.zeros_like(own), 1), shared, self.query_heads)

    def _compact(self) -> None:
        numbers = self.own.compact()
        if numbers is not None:
            self.own_table = numbers[self.own_table]
        numbers = self.shared.compact()
        if numbers is not None:
            self.shared_table = numbers[self.shared_table]
            for copy in {copy for copy in self.member if copy is not None}:
                copy.pages = numbers[copy.pages]


def _widened(table: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    if width <= table.shape[1]:
        return table
    return np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=-1)
