"""What the engine asks of a network, and its answer for any causal model of the transformers library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import Cache

KV = list[tuple[Tensor, Tensor]]
"""Keys and values of every layer, each [rows, heads, length, size]."""


class Network(Protocol):
    """A causal network over ragged rows. Padding is on the right; what stands in it has no effect."""

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, KV]:
        """Read prompts ids [rows, width]; return logits [rows, vocabulary] after each row's last token, and KV."""

    def extend(self, past: KV, lengths: Tensor, ids: Tensor) -> Tensor:
        """Read ids [rows, width] after a past of `lengths` [rows]; return logits [rows, width, vocabulary]."""

    def step(self, cache: SlotCache, ids: Tensor, lengths: Tensor) -> Tensor:
        """Read one token ids [rows] into the first rows of the cache, at `lengths` [rows]; return logits."""


class SlotCache:
    """Keys and values of the running rows: one slot a row, each with a length of its own.

    Attention reads slots in full and masks what lies beyond a row's length. Reading parts of slots would be slower
    on a CPU: each gap costs the memory prefetcher a new start, so the width is kept close to the longest row.

    Attributes:
        rows: slots allocated.
        width: tokens a slot can hold.
        layers: per layer keys and values, each [rows, heads, width, size].
    """

    def __init__(self) -> None:
        self.rows = self.width = 0
        self.layers: KV = []

    def reserve(self, rows: int, width: int, like: KV) -> None:
        """Take exactly this size; of what is there, what fits stays."""
        kept_rows, kept_width = min(rows, self.rows), min(width, self.width)
        for i, pair in enumerate(like):
            # zeros, since what is masked must still be finite
            key, value = (t.new_zeros(rows, t.shape[1], width, t.shape[3]) for t in pair)
            if self.rows:
                for new, old in zip((key, value), self.layers[i], strict=True):
                    new[:kept_rows, :, :kept_width] = old[:kept_rows, :, :kept_width]
                self.layers[i] = key, value
            else:
                self.layers.append((key, value))
        self.rows, self.width = rows, width

    def insert(self, slots: Tensor, past: KV, sources: Tensor, span: int) -> None:
        """Copy the first `span` tokens of rows `sources` of `past` into slots."""
        for mine, theirs in zip(self.layers, past, strict=True):
            for slot, source in zip(mine, theirs, strict=True):
                slot[slots, :, :span] = source[sources, :, :span]

    def move(self, slots: Tensor, sources: Tensor, span: int) -> None:
        """Copy the first `span` tokens of slots `sources` onto other slots."""
        for pair in self.layers:
            for tensor in pair:
                tensor[slots, :, :span] = tensor[sources, :, :span]


def token_bytes(past: KV) -> int:
    """Bytes of cache that one token of one row takes."""
    return sum(t.shape[1] * t.shape[3] * t.element_size() for pair in past for t in pair)


class _Hook(Cache):
    """A transformers cache that hands every layer's new keys and values to a function and returns its answer."""

    def __init__(self, update: Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__(layers=[])
        self._update = update

    def update(self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> Any:
        return self._update(layer_idx, key_states, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0

    def get_query_offset(self, layer_idx: int = 0) -> int:
        return 0

    def get_mask_sizes(self, query_length: int, layer_idx: int = 0) -> tuple[int, int]:
        return query_length, 0


class TransformersNetwork:
    """Any `AutoModelForCausalLM` whose layers call `Cache.update` and attend to what it returns."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.dtype: torch.dtype = model.dtype
        self.last = (getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30) - 1
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.keeps = "logits_to_keep" in inspect.signature(base.forward).parameters

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, KV]:
        past: KV = []

        def update(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            past.append((key, value))
            return key, value

        last = lengths - 1
        if self.keeps:
            kept, where = torch.unique(last, return_inverse=True)
            logits = self._forward(ids, None, None, update, logits_to_keep=kept)
            return logits[torch.arange(len(ids), device=ids.device), where], past
        logits = self._forward(ids, None, None, update)
        return logits[torch.arange(len(ids), device=ids.device), last], past

    def extend(self, past: KV, lengths: Tensor, ids: Tensor) -> Tensor:
        def update(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            return torch.cat([past[layer][0], key], 2), torch.cat([past[layer][1], value], 2)

        visible = extension_mask(lengths, past[0][0].shape[2], ids.shape[1])
        positions = (lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)).clamp(max=self.last)
        return self._forward(ids, positions, visible, update)

    def step(self, cache: SlotCache, ids: Tensor, lengths: Tensor) -> Tensor:
        count = len(ids)
        rows = torch.arange(count, device=ids.device)

        def update(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            keys, values = cache.layers[layer]
            keys[rows, :, lengths] = key[:, :, 0]
            values[rows, :, lengths] = value[:, :, 0]
            return keys[:count], values[:count]

        visible = torch.arange(cache.width, device=ids.device) <= lengths[:, None]
        return self._forward(ids[:, None], lengths[:, None], visible[:, None, None], update)[:, -1]

    def _forward(
        self,
        ids: Tensor,
        positions: Tensor | None,
        visible: Tensor | None,
        update: Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]],
        **options: Any,
    ) -> Tensor:
        mask = None
        if visible is not None:
            hidden = torch.finfo(self.dtype).min
            mask = torch.zeros_like(visible, dtype=self.dtype).masked_fill_(~visible, hidden)
        if positions is not None:
            options["position_ids"] = positions
        output = self.model(
            input_ids=ids, attention_mask=mask, past_key_values=_Hook(update), use_cache=True, **options
        )
        logits: Tensor = output.logits
        return logits.float()


def extension_mask(lengths: Tensor, past: int, width: int) -> Tensor:
    """What new tokens may see: the filled part of the past, and new tokens up to themselves.

    Args:
        lengths: [rows], how much of the past is filled.
        past: width of the past.
        width: number of new tokens.

    Returns:
        Booleans [rows, 1, width, past + width].
    """
    device = lengths.device
    filled = (torch.arange(past, device=device) < lengths[:, None])[:, None].expand(-1, width, -1)
    causal = torch.ones(width, width, dtype=torch.bool, device=device).tril().expand(len(lengths), -1, -1)
    return torch.cat([filled, causal], -1)[:, None]
