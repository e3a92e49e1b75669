"""Attention to pages by gathering queries.

Instead of gathering the pages of a row, attention takes each page's queries to the page (a few hundred bytes against
the page's thousands), reads all pages as one dense block, and gathers the scores. A page of a prompt is read once for
all rows that share it (shared prefixes: Juravsky et al. 2024, Hydragen: High-Throughput LLM Inference with Shared
Prefixes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from whetstone.models.engine.pages import PAGE, Pages

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """The pages of one kind that rows have.

    Attributes:
        pages: all of this kind.
        table: [rows, pages of a row], -1 for none.
        filled: [rows] tokens in them.
        seat: [rows] place of the row among those that share its pages.
        seats: how many may share them.
    """

    pages: Pages
    table: Numbers
    filled: Numbers
    seat: Numbers
    seats: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Pages whose scores are made as one block.

    Attributes:
        data: [layers, 2, pages * heads, PAGE, size].
        cells: which cells ask them.
        scores: [pages * heads, cells of each, PAGE], to be filled.
    """

    data: Tensor
    cells: slice
    scores: Tensor


@dataclass(frozen=True, slots=True)
class Plan:
    """What one step does in every layer. A cell is a page, a seat and a head of queries; shared pages come first.

    Attributes:
        data: keys and values of the rows' own pages, [layers, 2 * pages * heads * PAGE, size].
        places: [rows * 2 * heads] where new keys and values go in a layer.
        queries: [cells] with which of a row's queries, keys and values each cell asks.
        cells: [rows * query heads * pages of a row] the cells of each query; a missing page is the cell after the last.
        mask: [rows, 1, tokens of a row], 0 for what is visible and minus infinity for what is not.
        scores: [cells + 1, PAGE]; a missing page scores 0 and is masked.
        tokens: [rows * query heads, own tokens of a row] where each query's values are in a layer.
        pools: what is read; shared pages, if there are any, before own ones.
        back: [shared cells] where each stands in `cells`.
        sharing: [rows * query heads, shared pages of a row] the cells of each query; a missing page is the one after.
        mixed: [shared cells + 1, size]; a missing page gives 0.
    """

    data: Tensor
    places: Tensor
    queries: Tensor
    cells: Tensor
    mask: Tensor
    scores: Tensor
    tokens: Tensor
    pools: list[Pool]
    back: Tensor
    sharing: Tensor
    mixed: Tensor

    def attend(self, layer: int, qkv: Tensor) -> Tensor:
        """Store new keys and values, and attend.

        Args:
            qkv: queries, keys and values, [rows, query heads + 2 * heads, size].

        Returns:
            [rows, query heads * size].
        """
        rows, size = qkv.shape[0], qkv.shape[2]
        heads, data = self.tokens.shape[0] // rows, self.data[layer]
        data.index_copy_(0, self.places, qkv[:, heads:].reshape(-1, size))
        asked = qkv.view(-1, size).index_select(0, self.queries)
        for pool in self.pools:
            keys = pool.data[layer, 0]
            torch.bmm(asked[pool.cells].view(keys.shape[0], -1, size), keys.mT, out=pool.scores)
        scores = self.scores.index_select(0, self.cells).view(rows, heads, -1)
        weights = torch.softmax(scores.add_(self.mask), -1)
        # a weighted sum of rows of a table reads them twice as fast as a product of matrices
        own = weights.view(self.tokens.shape[0], -1)[:, self.sharing.shape[1] * PAGE :].contiguous()
        mixed = F.embedding_bag(self.tokens, data, mode="sum", per_sample_weights=own)
        if len(self.pools) > 1:
            values = self.pools[0].data[layer, 1]
            told = weights.view(-1, PAGE).index_select(0, self.back).view(values.shape[0], -1, PAGE)
            torch.bmm(told, values, out=self.mixed[:-1].view(values.shape[0], -1, size))
            mixed += F.embedding_bag(self.sharing, self.mixed, mode="sum")
        return mixed.view(rows, -1)


def plan(own: Side, shared: Side, query_heads: int) -> Plan:
    """Prepare a step that reads one token of every row.

    Args:
        own: pages of single rows; `filled` counts the new token.
        shared: pages that come before.
        query_heads: heads of queries; equally many of them ask each head of keys.
    """
    _, _, capacity, heads, _, size = own.pages.data.shape
    rows, each = own.filled.size, query_heads // heads
    sides = [side for side in (shared, own) if side.filled.any()]
    ends = np.cumsum([side.pages.count * query_heads * side.seats for side in sides])
    total, before = int(ends[-1]), int(ends[-1]) - own.pages.count * query_heads
    scores = own.pages.data.new_empty(total + 1, PAGE)
    mixed = own.pages.data.new_empty(before + 1, size)
    scores[-1], mixed[-1] = 0, 0

    head = np.arange(query_heads)[:, None]
    cells, hidden, pools = [], [], []
    for side, end in zip(sides, ends.tolist(), strict=True):
        count = side.pages.count
        part = slice(end - count * query_heads * side.seats, end)
        table = side.table[:, None, : -(-int(side.filled.max()) // PAGE)]
        lane = (table * heads + head // each) * side.seats + side.seat[:, None, None]
        cells.append(np.where(table < 0, total, part.start + lane * each + head % each))
        hidden.append(np.arange(table.shape[2] * PAGE) >= side.filled[:, None])
        block = side.pages.data[:, :, :count].flatten(2, 3)
        pools.append(Pool(block, part, scores[part].view(count * heads, -1, PAGE)))
    asked = np.concatenate(cells, 2)
    back = np.zeros(total + 1, np.int64)
    back[asked.ravel()] = np.arange(asked.size)
    row, lane = np.divmod(back[:total] // asked.shape[2], query_heads)
    mask = np.where(np.concatenate(hidden, 1), np.float32(-math.inf), np.float32(0))
    sharing = np.minimum(asked[:, :, : asked.shape[2] - cells[-1].shape[2]], before)

    last = own.filled - 1
    page = own.table[np.arange(rows), last // PAGE, None]
    lanes = np.concatenate([np.arange(heads), capacity * heads + np.arange(heads)])
    places = (page * heads + lanes) * PAGE + last[:, None] % PAGE
    # values come after all keys; a missing page weighs nothing, so that any will do
    values = ((capacity + own.table[:, None, : cells[-1].shape[2]].clip(0)) * heads + head // each) * PAGE
    tokens = values[..., None] + np.arange(PAGE)

    def tensor(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(scores.device)

    return Plan(
        data=own.pages.data.view(own.pages.data.shape[0], -1, size),
        places=tensor(places.ravel()),
        queries=tensor(row * (query_heads + 2 * heads) + lane),
        cells=tensor(asked.ravel()),
        mask=tensor(mask[:, None]),
        scores=scores,
        tokens=tensor(tokens.reshape(rows * query_heads, -1)),
        pools=pools,
        back=tensor(back[:before]),
        sharing=tensor(sharing.reshape(rows * query_heads, -1)),
        mixed=mixed,
    )
