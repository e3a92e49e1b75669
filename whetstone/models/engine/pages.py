"""Keys and values in pages of a few tokens.

Pages belong to rows in any order, so that nothing is laid out anew when rows grow, leave or move (Kwon et al. 2023,
Efficient Memory Management for Large Language Model Serving with PagedAttention).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.models.engine.prompted import KV

PAGE = 16
"""Tokens of a page."""


class Pages:
    """Pages of all layers.

    Args:
        like: keys and values of the same kind.

    Attributes:
        data: keys and values, [layers, 2, pages, heads, PAGE, size].
        used: [pages] is the page taken?
        count: pages up to the last one that is taken.
        taken: how many are taken.
    """

    def __init__(self, like: KV) -> None:
        key = like[0][0]
        self.data = key.new_zeros(len(like), 2, 0, key.shape[1], PAGE, key.shape[3])
        self.used = np.zeros(0, bool)
        self.count = self.taken = 0

    def take(self, count: int) -> NDArray[np.int64]:
        """Take free pages, the first ones there are."""
        self.taken += count
        if self.taken > self.used.size:
            old = self.data
            shape = list(old.shape)
            shape[2] = max(self.taken, shape[2] * 3 // 2)
            # zeros, since what is masked must still be finite
            self.data = old.new_zeros(shape)
            self.data[:, :, : old.shape[2]] = old
            self.used = np.concatenate([self.used, np.zeros(shape[2] - old.shape[2], bool)])
        pages = np.flatnonzero(~self.used)[:count]
        self.used[pages] = True
        self.count = max(self.count, int(pages.max(initial=-1)) + 1)
        return pages

    def free(self, pages: NDArray[np.int64]) -> None:
        """Give pages back."""
        self.used[pages] = False
        self.taken -= pages.size
        if pages.max(initial=-1) == self.count - 1:
            self.count = int(np.flatnonzero(self.used).max(initial=-1)) + 1

    def fill(self, pages: NDArray[np.int64], past: KV, rows: NDArray[np.int64], chunks: NDArray[np.int64]) -> None:
        """Copy stretches of PAGE tokens, each of a row of `past` and counted from its start, into pages."""
        for chunk in range(int(chunks.max()) + 1):
            at = np.flatnonzero(chunks == chunk)
            for layer, pair in enumerate(past):
                for data, tensor in zip(self.data[layer], pair, strict=True):
                    piece = tensor[rows[at], :, chunk * PAGE : (chunk + 1) * PAGE]
                    data[pages[at], :, : piece.shape[2]] = piece

    def compact(self) -> NDArray[np.int64] | None:
        """If many lie idle, move the last pages into free ones; returns the new number of each, -1 stays -1."""
        if self.taken >= 0.75 * self.count:
            return None
        free = np.flatnonzero(~self.used[: self.taken])
        last = self.taken + np.flatnonzero(self.used[self.taken :])
        self.data[:, :, free] = self.data[:, :, last]
        self.used[free], self.used[last] = True, False
        self.count = self.taken
        numbers = np.arange(-1, self.used.size)
        numbers[last + 1] = free
        return np.roll(numbers, -1)
