"""What the engine asks of a network, and its answer for any causal model of the transformers library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import cache_utils

from whetstone.models.engine.cache import Cache, SlotCache
from whetstone.models.engine.prompted import KV


class Network(Protocol):
    """A causal network over ragged rows. Padding is on the right; what stands in it has no effect."""

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, KV]:
        """Read prompts ids [rows, width]; return logits [rows, vocabulary] after each row's last token, and KV."""

    def extend(self, past: KV, lengths: Tensor, ids: Tensor, branches: Tensor) -> Tensor:
        """Read ids [rows, width] after a past of `lengths` [rows]; return logits [rows, width, vocabulary].

        A row holds several continuations of its past, one after the other, none of which sees the others; `branches`
        [rows, width] tells them apart.
        """

    def cache(self, like: KV, slots: int) -> Cache:
        """An empty cache of the kind that `step` reads, for keys and values like these and at most so many rows."""

    def step(self, cache: Any, ids: Tensor) -> Tensor:
        """Read one more token ids [rows] of the rows in the cache; return logits [rows, vocabulary]."""


class _Hook(cache_utils.Cache):
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

    def extend(self, past: KV, lengths: Tensor, ids: Tensor, branches: Tensor) -> Tensor:
        def update(layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
            return torch.cat([past[layer][0], key], 2), torch.cat([past[layer][1], value], 2)

        visible, positions = extension(lengths, past[0][0].shape[2], branches)
        return self._forward(ids, positions.clamp(max=self.last), visible, update)

    def cache(self, like: KV, slots: int) -> SlotCache:
        return SlotCache(like, slots)

    def step(self, cache: SlotCache, ids: Tensor) -> Tensor:
        count = len(ids)
        lengths = torch.from_numpy(cache.place(count)).to(ids.device)
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


def extension(lengths: Tensor, past: int, branches: Tensor) -> tuple[Tensor, Tensor]:
    """What new tokens may see, which is the filled part of the past and their own branch up to themselves.

    Args:
        lengths: [rows], how much of the past is filled.
        past: width of the past.
        branches: [rows, width] number of each new token's branch.

    Returns:
        Booleans [rows, 1, width, past + width], and positions [rows, width].
    """
    device, width = lengths.device, branches.shape[1]
    filled = (torch.arange(past, device=device) < lengths[:, None])[:, None].expand(-1, width, -1)
    own = (branches[:, :, None] == branches[:, None]).tril()
    return torch.cat([filled, own], -1)[:, None], lengths[:, None] + own.sum(-1) - 1
