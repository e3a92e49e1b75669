"""The cache of networks that attend to pages themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

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


@dataclass(frozen=True, slots=True)
class Pool:
    """Pages that are read together.

    Attributes:
        data: [layers, 2, pages * heads, PAGE, size].
        cells: which cells ask them.
        scores: [pages * heads, cells of each, PAGE], to be filled.
        mixed: [pages * heads, cells of each, size], to be filled.
    """

    data: Tensor
    cells: slice
    scores: Tensor
    mixed: Tensor


@dataclass(frozen=True, slots=True)
class Plan:
    """What one step does in every layer. A cell is a page, a head of queries and, where pages are shared, a seat.

    Attributes:
        places: [rows * heads] where new keys and values go.
        queries: [cells] which query each cell asks with.
        cells: [rows * query heads * pages of a row] the cells of each query; a missing page is the cell after the last.
        offsets: [rows * query heads] where the cells of each query begin.
        back: [cells] where each cell stands in `cells`.
        mask: [rows, 1, tokens of a row], 0 for what is visible and minus infinity for what is not.
        scores: [cells + 1, PAGE] of all pools; a missing page scores 0 and is masked.
        mixed: [cells + 1, size] of all pools; a missing page gives 0.
        pools: own pages and shared pages.
    """

    places: Tensor
    queries: Tensor
    cells: Tensor
    offsets: Tensor
    back: Tensor
    mask: Tensor
    scores: Tensor
    mixed: Tensor
    pools: list[Pool]


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
        self.own.used[pages[pages >= 0]] = False
        for slot in slots.tolist():
            copy = self.member[slot]
            if copy is not None:
                copy.free.append(int(self.seat[slot]))
                if len(copy.free) == SEATS:
                    self.shared.used[copy.pages] = False
                    if self.open.get(copy.prompted) is copy:
                        del self.open[copy.prompted]
                elif copy.prompted.users:
                    self.open.setdefault(copy.prompted, copy)
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

    # ---------------------------------------------------------------------------------- attention

    def plan(self, rows: int) -> Plan:
        """Make room for one more token of the first rows, count it, and prepare a step."""
        self._compact()
        told, own, at = self.told[:rows], self.length[:rows] - self.told[:rows], np.arange(rows)
        new = np.flatnonzero(own % PAGE == 0)
        self.own_table = _widened(self.own_table, int(own.max()) // PAGE + 1)
        self.own_table[new, own[new] // PAGE] = self.own.take(new.size)
        self.length[:rows] += 1
        heads, each = self.own.data.shape[3], self.query_heads // self.own.data.shape[3]
        page = self.own_table[at, own // PAGE]
        places = (page[:, None] * heads + np.arange(heads)) * PAGE + (own % PAGE)[:, None]

        head = np.arange(self.query_heads)[:, None]
        first, second = self.own.count, self.shared.count
        base = first * self.query_heads
        total = base + second * self.query_heads * SEATS
        shared = self.shared_table[:rows, None, : -(-int(told.max()) // PAGE)]
        mine = self.own_table[:rows, None, : int(own.max()) // PAGE + 1]
        lane = (shared * heads + head // each) * SEATS + self.seat[:rows, None, None]
        cells = np.concatenate(
            [
                np.where(shared < 0, total, base + lane * each + head % each),
                np.where(mine < 0, total, mine * self.query_heads + head),
            ],
            2,
        )
        back = np.zeros(total + 1, np.int64)
        back[cells.ravel()] = np.arange(cells.size)
        back = back[:total]
        hidden = np.concatenate(
            [
                np.arange(shared.shape[2] * PAGE) >= told[:, None],
                np.arange(mine.shape[2] * PAGE) > own[:, None],
            ],
            1,
        )
        mask = np.where(hidden, np.float32(-math.inf), np.float32(0))
        scores, mixed = self._empty(total + 1, PAGE), self._empty(total + 1, self.own.data.shape[5])
        pools = []
        for pages, count, part in ((self.own, first, slice(0, base)), (self.shared, second, slice(base, total))):
            if count:
                data = pages.data[:, :, :count].flatten(2, 3)
                lanes = [made[part].view(count * heads, -1, made.shape[1]) for made in (scores, mixed)]
                pools.append(Pool(data, part, *lanes))
        return Plan(
            self._tensor(places.ravel()),
            self._tensor(back // cells.shape[2]),
            self._tensor(cells.ravel()),
            self._tensor(np.arange(0, cells.size, cells.shape[2])),
            self._tensor(back),
            self._tensor(mask[:, None]),
            scores,
            mixed,
            pools,
        )

    def attend(self, layer: int, plan: Plan, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Store new keys and values, and attend.

        Args:
            query: [rows, query heads, size].
            key: [rows, heads, size].
            value: [rows, heads, size].

        Returns:
            [rows, query heads * size].
        """
        rows, heads, size = query.shape
        for data, new in zip(self.own.data[layer], (key, value), strict=True):
            data.view(-1, size).index_copy_(0, plan.places, new.reshape(-1, size))
        asked = query.reshape(-1, size).index_select(0, plan.queries)
        for pool in plan.pools:
            keys = pool.data[layer, 0]
            torch.bmm(asked[pool.cells].view(len(keys), -1, size), keys.mT, out=pool.scores)
        scores = plan.scores.index_select(0, plan.cells).view(rows, heads, -1).add_(plan.mask)
        weights = torch.softmax(scores, -1).view(-1, PAGE).index_select(0, plan.back)
        for pool in plan.pools:
            values = pool.data[layer, 1]
            torch.bmm(weights[pool.cells].view(len(values), -1, PAGE), values, out=pool.mixed)
        return F.embedding_bag(plan.cells, plan.mixed, plan.offsets, mode="sum").view(rows, -1)

    def _compact(self) -> None:
        numbers = self.own.compact()
        if numbers is not None:
            self.own_table = numbers[self.own_table]
        numbers = self.shared.compact()
        if numbers is not None:
            self.shared_table = numbers[self.shared_table]
            for copy in {copy for copy in self.member if copy is not None}:
                copy.pages = numbers[copy.pages]

    def _empty(self, cells: int, width: int) -> Tensor:
        """Room for something of every cell; the last row, of the missing cell, is 0."""
        made = self.own.data.new_empty(cells, width)
        made[-1] = 0
        return made

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.own.data.device)


def _widened(table: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    if width <= table.shape[1]:
        return table
    return np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=-1)
