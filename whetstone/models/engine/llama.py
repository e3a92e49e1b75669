"""A lean forward pass for Llama networks, for models so small that the calls cost more than the arithmetic.

One product gives queries, keys and values, one gives gate and up; norm weights and the attention scale are folded
into them. The two halves of a head that a rotation pairs are laid side by side, so that rotating is one product of
complex numbers; attention does not see the difference, since queries and keys are reordered alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from whetstone.models.engine.cache import KV
from whetstone.models.engine.chunks import ChunkCache
from whetstone.models.engine.network import extension_mask

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
LARGEST = 200_000_000


@dataclass(frozen=True, slots=True)
class _Layer:
    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor


def fits(model: Any) -> bool:
    """Is this a plain float32 Llama, small enough to hold its weights twice?"""
    config = model.config
    return (
        type(model).__name__ == "LlamaForCausalLM"
        and model.dtype == torch.float32
        and config.hidden_act == "silu"
        and not config.attention_bias
        and not config.mlp_bias
        and config.rope_parameters["rope_type"] == "default"
        and sum(p.numel() for p in model.parameters()) <= LARGEST
    )


class LlamaNetwork:
    """The network of a `LlamaForCausalLM`, from a copy of its weights as they are now."""

    group = 4

    def __init__(self, model: Any) -> None:
        config = model.config
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.size = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.eps: float = config.rms_norm_eps
        pairs = torch.arange(self.size).view(2, -1).t().reshape(-1)

        def paired(weight: Tensor, heads: int) -> Tensor:
            return weight.view(heads, self.size, -1)[:, pairs.to(weight.device)].reshape(heads * self.size, -1)

        self.layers = []
        for layer in model.model.layers:
            attention, mlp = layer.self_attn, layer.mlp
            query = paired(attention.q_proj.weight, self.heads) / math.sqrt(self.size)
            key = paired(attention.k_proj.weight, self.kv_heads)
            qkv = torch.cat([query, key, attention.v_proj.weight]) * layer.input_layernorm.weight
            gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * layer.post_attention_layernorm.weight
            self.layers.append(
                _Layer(*(_turned(w) for w in (qkv, attention.o_proj.weight, gate_up, mlp.down_proj.weight)))
            )
        self.embedding = model.model.embed_tokens.weight.detach().clone()
        self.head = _turned(model.lm_head.weight * model.model.norm.weight)
        frequencies = 1.0 / config.rope_parameters["rope_theta"] ** (torch.arange(0, self.size, 2) / self.size)
        angles = torch.outer(torch.arange(config.max_position_embeddings).float(), frequencies)
        self.rotation = torch.polar(torch.ones_like(angles), angles).to(model.device)

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, KV]:
        rows, width = ids.shape
        past: KV = []

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            q, k, v = (t.view(rows, width, -1, self.size).transpose(1, 2) for t in (query, key, value))
            past.append((k, v))
            grouped = self.heads != self.kv_heads
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0, enable_gqa=grouped)
            return out.transpose(1, 2).reshape(rows * width, -1)

        rotation = self.rotation[:width].repeat(rows, 1)[:, None]
        hidden = self._hidden(ids.reshape(-1), rotation, attend)
        last = torch.arange(rows, device=ids.device) * width + lengths - 1
        return self._logits(hidden[last]), past

    def extend(self, past: KV, lengths: Tensor, ids: Tensor) -> Tensor:
        rows, width = ids.shape
        visible = extension_mask(lengths, past[0][0].shape[2], width)
        positions = (lengths[:, None] + torch.arange(width, device=ids.device)).clamp(max=self.rotation.shape[0] - 1)

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            q, k, v = (t.view(rows, width, -1, self.size).transpose(1, 2) for t in (query, key, value))
            k, v = torch.cat([past[layer][0], k], 2), torch.cat([past[layer][1], v], 2)
            grouped = self.heads != self.kv_heads
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, scale=1.0, enable_gqa=grouped)
            return out.transpose(1, 2).reshape(rows * width, -1)

        hidden = self._hidden(ids.reshape(-1), self.rotation[positions.view(-1)][:, None], attend)
        return self._logits(hidden).view(rows, width, -1)

    def cache(self, like: KV) -> ChunkCache:
        return ChunkCache(like, self.group)

    def step(self, cache: ChunkCache, ids: Tensor, lengths: NDArray[np.int64], shared: NDArray[np.int64]) -> Tensor:
        rows = ids.shape[0]
        more = -rows % cache.group
        if more:
            ids = F.pad(ids, (0, more))
            nothing = np.zeros(more, np.int64)
            lengths, shared = np.concatenate([lengths, nothing]), np.concatenate([shared, nothing])
        plan = cache.plan(lengths, shared)

        def attend(layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            return cache.attend(layer, plan, query, key, value)

        positions = torch.from_numpy(lengths + shared).to(ids.device)
        return self._logits(self._hidden(ids, self.rotation[positions][:, None], attend))[:rows]

    def _hidden(self, ids: Tensor, rotation: Tensor, attend: Attend) -> Tensor:
        """Hidden states [tokens, hidden] of flat ids with rotation [tokens, 1, size / 2]."""
        x: Tensor = self.embedding[ids]
        parts = [self.heads, self.kv_heads, self.kv_heads]
        turned = parts[0] + parts[1]
        for i, layer in enumerate(self.layers):
            qkv = (self._norm(x) @ layer.qkv).view(-1, sum(parts), self.size)
            torch.view_as_complex(qkv[:, :turned].view(-1, turned, self.size // 2, 2)).mul_(rotation)
            x = torch.addmm(x, attend(i, *torch.split(qkv, parts, 1)), layer.out)
            gate, up = (self._norm(x) @ layer.gate_up).chunk(2, -1)
            x = torch.addmm(x, F.silu(gate).mul_(up), layer.down)
        return x

    def _norm(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), None, self.eps)

    def _logits(self, hidden: Tensor) -> Tensor:
        return self._norm(hidden) @ self.head


def _turned(weight: Tensor) -> Tensor:
    return weight.detach().t().contiguous()
