"""Keys and values of the running rows, one slot a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from whetstone.models.engine.prompted import KV, Prefill, Prompted

Slots = NDArray[np.int64]


class Cache(Protocol):
    """What the decoding loop asks of a cache. The rows that run are in its first slots.

    Attributes:
        length: [slots] tokens of each row.
    """

    length: NDArray[np.int64]

    @property
    def tokens(self) -> int:
        """Tokens of rows for which it holds memory."""

    def enter(self, slots: Slots, prompts: Sequence[Prompted], prefill: Prefill) -> None:
        """Put prompts, all of which were read together, into free slots."""

    def leave(self, slots: Slots) -> None:
        """Free slots."""

    def move(self, slots: Slots, sources: Slots) -> None:
        """Move rows into free slots."""


class SlotCache:
    """One stretch of memory a slot, which any network can attend to.

    Attention reads slots in full and masks what lies beyond a row's length, so the width is kept close to the longest
    row, but not laid out anew at every step.

    Args:
        like: keys and values of the same kind.
        slots: most rows.

    Attributes:
        length: [slots] tokens of each row.
        rows: slots allocated.
        width: tokens that a slot can hold.
        layers: per layer keys and values, each [rows, heads, width, size].
    """

    def __init__(self, like: KV, slots: int) -> None:
        self.length = np.zeros(slots, np.int64)
        self.rows = self.width = 0
        self.layers = [(key[:0, :, :0], value[:0, :, :0]) for key, value in like]

    @property
    def tokens(self) -> int:
        """Tokens for which it holds memory."""
        return self.rows * self.width

    def reserve(self, rows: int, span: int) -> None:
        """Make room for so many rows of so many tokens."""
        count, width = self.rows, self.width
        if rows > count:
            count = max(rows, min(2 * count, self.length.size))
        if not 0.6 * width <= span <= width:
            width = -(-max(span, min(span, width) * 9 // 8) // 16) * 16
        if (count, width) == (self.rows, self.width):
            return
        kept_rows, kept_width = min(count, self.rows), min(width, self.width)
        for i, pair in enumerate(self.layers):
            # zeros, since what is masked must still be finite
            key, value = (t.new_zeros(count, t.shape[1], width, t.shape[3]) for t in pair)
            for new, old in zip((key, value), pair, strict=True):
                new[:kept_rows, :, :kept_width] = old[:kept_rows, :, :kept_width]
            self.layers[i] = key, value
        self.rows, self.width = count, width

    def enter(self, slots: Slots, prompts: Sequence[Prompted], prefill: Prefill) -> None:
        """Copy prompts into slots."""
        self.length[slots] = [len(prompted.ids) for prompted in prompts]
        span = int(self.length[slots].max())
        self.reserve(int(slots.max()) + 1, int(self.length.max()))
        sources = [prompted.row for prompted in prompts]
        for mine, theirs in zip(self.layers, prefill.past, strict=True):
            for own, tensor in zip(mine, theirs, strict=True):
                own[slots, :, :span] = tensor[sources, :, :span]

    def leave(self, slots: Slots) -> None:
        """Free slots."""
        self.length[slots] = 0

    def move(self, slots: Slots, sources: Slots) -> None:
        """Copy rows onto free slots."""
        span = int(self.length[sources].max())
        self.length[slots], self.length[sources] = self.length[sources], 0
        for pair in self.layers:
            for tensor in pair:
                tensor[slots, :, :span] = tensor[sources, :, :span]

    def place(self, rows: int) -> NDArray[np.int64]:
        """Make room for one more token of the first rows, count it, and tell [rows] where it goes."""
        places = self.length[:rows].copy()
        self.reserve(rows, int(places.max()) + 1)
        self.length[:rows] += 1
        return places
