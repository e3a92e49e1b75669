"""A cache that is read in short stretches, for networks whose attention waits for memory more than it computes.

The tokens of a slot lie in chunks: in memory comes chunk 0 of all slots, then chunk 1 of all slots, and so on. A step
reads of each chunk only the slots that got that far, always as dense blocks, and nothing is laid out anew when rows
grow.

Slots come in blocks. The slots of a block may share a prompt, whose keys and values are read once for all of them
(the prefix attention of Juravsky et al. 2024, Hydragen: High-Throughput LLM Inference with Shared Prefixes).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whetstone.models.engine.cache import KV

CHUNK = 16
"""Tokens of a chunk."""
GAP = 6
"""So many blocks that did not get to a chunk are read along rather than skipped."""


@dataclass(frozen=True, slots=True)
class Run:
    """Lanes whose chunk is read together, and the columns of their scores."""

    chunk: int
    lanes: slice
    columns: slice


@dataclass(frozen=True, slots=True)
class Plan:
    """What one step does in every layer.

    Attributes:
        places: [slots * heads], where new keys and values go.
        mask: [blocks, 1, group, 1, shared + chunks * CHUNK], 0 for what is visible and minus infinity for what is not.
        shared: width of the shared prompts, 0 if there are none.
        runs: what is read of the slots' own tokens.
    """

    places: Tensor
    mask: Tensor
    shared: int
    runs: list[Run]


class ChunkCache:
    """Keys and values in chunks, and attention to them.

    A lane is a head of a slot; lanes are ordered by block, head, slot.

    Args:
        like: keys and values of the same kind.
        group: slots of a block.

    Attributes:
        layers: per layer keys and values, each [chunks, blocks, heads, group, CHUNK, size].
        prompts: per layer keys and values of shared prompts, each [blocks, heads, width, size].
    """

    def __init__(self, like: KV, group: int) -> None:
        self.group = group
        self.rows = self.width = 0
        self.layers = [_both(pair, lambda t: t.new_zeros(0, 0, t.shape[1], group, CHUNK, t.shape[3])) for pair in like]
        self.prompts = [_both(pair, lambda t: t.new_zeros(0, t.shape[1], 0, t.shape[3])) for pair in like]

    # ---------------------------------------------------------------------------------- contents

    def reserve(self, rows: int, span: int) -> None:
        if rows <= self.rows and span <= self.width:
            return
        if self.rows < rows:
            rows = max(rows, self.rows * 5 // 4)
        else:
            span = max(span, 2 * self.width)
        blocks, chunks = -(-rows // self.group), -(-span // CHUNK)
        self.layers = [_both(pair, lambda t: _resized(t, chunks, blocks, *t.shape[2:])) for pair in self.layers]
        self.prompts = [_both(pair, lambda t: _resized(t, blocks, *t.shape[1:])) for pair in self.prompts]
        self.rows, self.width = blocks * self.group, chunks * CHUNK

    def insert(self, slots: Tensor, past: KV, sources: Tensor, span: int) -> None:
        blocks, members = slots // self.group, slots % self.group
        for mine, theirs in zip(self.layers, past, strict=True):
            for own, tensor in zip(mine, theirs, strict=True):
                for chunk, start in enumerate(range(0, span, CHUNK)):
                    piece = tensor[sources, :, start : min(start + CHUNK, span)]
                    own[chunk][blocks, :, members, : piece.shape[2]] = piece

    def share(self, blocks: Tensor, past: KV, sources: Tensor, span: int) -> None:
        width = self.prompts[0][0].shape[2]
        if not 0.6 * width <= span <= width:
            wider = -(-span // 8) * 8
            self.prompts = [
                _both(pair, lambda t: _resized(t, *t.shape[:2], wider, t.shape[3])) for pair in self.prompts
            ]
        for mine, theirs in zip(self.prompts, past, strict=True):
            for prompt, tensor in zip(mine, theirs, strict=True):
                piece = tensor[sources, :, : prompt.shape[2]]
                prompt[blocks, :, : piece.shape[2]] = piece

    def move(self, slots: Tensor, sources: Tensor, lengths: Tensor, shared: Tensor) -> None:
        width = self.prompts[0][0].shape[2] if shared.any() else 0
        span, chunks = int((lengths + shared).max()), max(-(-int(lengths.max()) // CHUNK), 1)
        # where a token is when the block's prompt, padding included, stands before the slot's own tokens
        token = torch.arange(span, device=slots.device)
        token = torch.where(token < shared[:, None], token, token - shared[:, None] + width)
        token = token.clamp(max=width + chunks * CHUNK - 1)[:, None, :, None]
        blocks, members = sources // self.group, sources % self.group

        def read(own: Tensor, prompt: Tensor) -> Tensor:
            tokens = torch.cat([own[chunk][blocks, :, members] for chunk in range(chunks)], 2)
            if not width:
                return tokens
            told = torch.cat([prompt[blocks], tokens], 2)
            return told.gather(2, token.expand(-1, told.shape[1], -1, told.shape[3]))

        past = [(read(k, p), read(v, q)) for (k, v), (p, q) in zip(self.layers, self.prompts, strict=True)]
        self.insert(slots, past, torch.arange(slots.shape[0], device=slots.device), span)

    # ---------------------------------------------------------------------------------- attention

    def plan(self, lengths: NDArray[np.int64], shared: NDArray[np.int64]) -> Plan:
        """Prepare a step.

        Args:
            lengths: [slots] tokens of their own before the new one; whole blocks.
            shared: [slots] tokens of their block's prompt.
        """
        keys, group = self.layers[0][0], self.group
        heads, slot = keys.shape[2], np.arange(lengths.size)
        lane = lengths // CHUNK * (self.rows * heads) + slot // group * (heads * group) + slot % group
        place = (lane[:, None] + np.arange(heads) * group) * CHUNK + lengths[:, None] % CHUNK
        reached = lengths.reshape(-1, group).max(1) // CHUNK
        chunks = int(reached.max()) + 1
        width = self.prompts[0][0].shape[2] if shared.any() else 0
        mask = np.zeros((lengths.size, width + chunks * CHUNK), np.float32)
        mask[:, :width][np.arange(width) >= shared[:, None]] = -math.inf
        mask[:, width:][np.arange(chunks * CHUNK) > lengths[:, None]] = -math.inf
        runs = []
        for chunk in range(chunks):
            columns = slice(width + chunk * CHUNK, width + (chunk + 1) * CHUNK)
            for first, end in _runs(np.flatnonzero(reached >= chunk)):
                runs.append(Run(chunk, slice(first * heads * group, end * heads * group), columns))
        tensors = (torch.from_numpy(array).to(keys.device) for array in (place.ravel(), mask))
        return Plan(next(tensors), next(tensors).view(-1, 1, group, 1, mask.shape[1]), width, runs)

    def attend(self, layer: int, plan: Plan, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Store new keys and values, and attend.

        Args:
            query: [slots, query heads, size].
            key: [slots, heads, size].
            value: [slots, heads, size].

        Returns:
            [slots, query heads * size].
        """
        keys, values = self.layers[layer]
        chunks, heads, group, size = keys.shape[0], keys.shape[2], self.group, keys.shape[5]
        blocks, each, span = query.shape[0] // group, query.shape[1] // heads, plan.mask.shape[4]
        for own, new in ((keys, key), (values, value)):
            own.view(-1, size).index_copy_(0, plan.places, new.reshape(-1, size))
        keys, values = keys.view(chunks, -1, CHUNK, size), values.view(chunks, -1, CHUNK, size)
        told_keys, told_values = (told[:blocks].flatten(0, 1) for told in self.prompts[layer])

        q = query.view(blocks, group, heads, each, size).transpose(1, 2).reshape(-1, each, size)
        scores = plan.mask.expand(-1, heads, -1, each, -1).clone(memory_format=torch.contiguous_format)
        scores = scores.view(-1, each, span)
        if plan.shared:
            joint = torch.bmm(q.view(-1, group * each, size), told_keys.mT)
            scores[:, :, : plan.shared].add_(joint.view(-1, each, plan.shared))
        for run in plan.runs:
            scores[run.lanes, :, run.columns].add_(torch.bmm(q[run.lanes], keys[run.chunk, run.lanes].mT))
        weights = torch.softmax(scores, -1)
        if plan.shared:
            joint = weights[:, :, : plan.shared].view(-1, group * each, plan.shared)
            mixed = torch.bmm(joint, told_values).view(-1, each, size)
        else:
            mixed = torch.zeros_like(q)
        for run in plan.runs:
            mixed[run.lanes].baddbmm_(weights[run.lanes, :, run.columns], values[run.chunk, run.lanes])
        return mixed.view(blocks, heads, group, each, size).transpose(1, 2).reshape(blocks * group, -1)


def _runs(blocks: NDArray[Any]) -> list[tuple[int, int]]:
    """Stretches from a first block up to before another that cover these blocks, given in order."""
    runs: list[tuple[int, int]] = []
    first = before = int(blocks[0])
    for block in blocks[1:].tolist():
        if block - before > GAP:
            runs.append((first, before + 1))
            first = block
        before = block
    return [*runs, (first, before + 1)]


def _both(pair: tuple[Tensor, Tensor], change: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    return change(pair[0]), change(pair[1])


def _resized(old: Tensor, *shape: int) -> Tensor:
    """The tensor in another shape: what fits stays, the rest is zero, since what is masked must still be finite."""
    if old.device.type == "cpu" and old.dtype == torch.float32:
        # takes memory only where it is written to
        new = torch.from_numpy(np.zeros(shape, np.float32))
    else:
        new = old.new_zeros(shape)
    kept = tuple(slice(min(a, b)) for a, b in zip(shape, old.shape, strict=True))
    new[kept] = old[kept]
    return new
