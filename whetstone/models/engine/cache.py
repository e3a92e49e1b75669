"""Keys and values of the running rows, one slot a row, each with a length of its own."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

KV = list[tuple[Tensor, Tensor]]
"""Keys and values of every layer, each [rows, heads, length, size]."""


class Cache(Protocol):
    """What the decoding loop asks of a cache.

    Attributes:
        rows: slots allocated.
        width: tokens a slot can hold of its own.
    """

    rows: int
    width: int

    def reserve(self, rows: int, span: int) -> None:
        """Make room for this many slots and tokens of their own; what lies in these slots stays."""

    def insert(self, slots: Tensor, past: KV, sources: Tensor, span: int) -> None:
        """Copy the first `span` tokens of rows `sources` of `past` into slots."""

    def share(self, blocks: Tensor, past: KV, sources: Tensor, span: int) -> None:
        """Let all slots of each block see the first `span` tokens of a row of `past` before their own."""

    def move(self, slots: Tensor, sources: Tensor, lengths: Tensor, shared: Tensor) -> None:
        """Copy slots onto others.

        Args:
            slots: where to.
            sources: where from.
            lengths: of `sources`, own tokens.
            shared: of `sources`, tokens of the block that become tokens of their own, before the others.
        """


class SlotCache:
    """One stretch of memory a slot, which any network can attend to. Slots share nothing.

    Args:
        like: keys and values of the same kind.

    Attention reads slots in full and masks what lies beyond a row's length, so the width is kept close to the longest
    row.

    Attributes:
        layers: per layer keys and values, each [rows, heads, width, size].
    """

    def __init__(self, like: KV) -> None:
        self.rows = self.width = 0
        self.layers = [(_empty(key), _empty(value)) for key, value in like]

    def reserve(self, rows: int, span: int) -> None:
        count, width = self.rows, self.width
        if rows > count:
            count = max(rows, count + count // 4)
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

    def insert(self, slots: Tensor, past: KV, sources: Tensor, span: int) -> None:
        for mine, theirs in zip(self.layers, past, strict=True):
            for slot, source in zip(mine, theirs, strict=True):
                slot[slots, :, :span] = source[sources, :, :span]

    def share(self, blocks: Tensor, past: KV, sources: Tensor, span: int) -> None:
        raise NotImplementedError("its slots share nothing")

    def move(self, slots: Tensor, sources: Tensor, lengths: Tensor, shared: Tensor) -> None:
        span = int(lengths.max())
        for pair in self.layers:
            for tensor in pair:
                tensor[slots, :, :span] = tensor[sources, :, :span]


def token_bytes(past: KV) -> int:
    """Bytes of cache that one token of one row takes."""
    return sum(t.shape[1] * t.shape[3] * t.element_size() for pair in past for t in pair)


def _empty(like: Tensor) -> Tensor:
    return like.new_zeros(0, like.shape[1], 0, like.shape[3])
