"""Rows of unequal length, put together for one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def batches(items: Sequence[T], size: Callable[[T], int], most: int) -> Iterator[Sequence[T]]:
    """Divide items that are sorted by size; a batch, padded to its largest, holds `most` at most or a single item."""
    start = 0
    while start < len(items):
        end = start + 1
        while end < len(items) and (end + 1 - start) * size(items[end]) <= most:
            end += 1
        yield items[start:end]
        start = end


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Token ids [rows, longest row], with 0 on the right."""
    width = max(map(len, rows))
    return torch.tensor([(*row, *[0] * (width - len(row))) for row in rows], device=device)
