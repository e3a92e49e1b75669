"""A prompt and what reading it left behind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from whetstone.core.types import Prompt

KV = list[tuple[Tensor, Tensor]]
"""Keys and values of every layer, each [rows, heads, length, size]."""


@dataclass(eq=False)
class Prefill:
    """Prompts that were read together: logits [prompts, vocabulary] after each, and their keys and values."""

    logits: Tensor
    past: KV

    @cached_property
    def token_bytes(self) -> int:
        """Bytes of cache that one token of one row takes."""
        return sum(t.shape[1] * t.shape[3] * t.element_size() for pair in self.past for t in pair)


@dataclass(slots=True, eq=False)
class Prompted:
    """One prompt: its ids, how many requests still need it, and where it was read."""

    prompt: Prompt
    ids: tuple[int, ...]
    users: int = 0
    prefill: Prefill | None = None
    row: int = 0
