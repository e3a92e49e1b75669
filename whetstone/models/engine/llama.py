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

import torch
import torch.nn.functional as F
from torch import Tensor

from whetstone.models.engine.network import extension
from whetstone.models.engine.paged import PagedCache
from whetstone.models.engine.prompted import KV

Attend = Callable[[int, Tensor], Tensor]
"""From layer and [tokens, query heads + 2 * heads, size] to [tokens, query heads * size]."""
LARGEST = 200_000_000
ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")  # type: ignore[no-untyped-call]
MANY = 64
"""From so many rows on oneDNN is faster than the library that torch uses by itself."""


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

    def __init__(self, model: Any) -> None:
        config = model.config
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.edges = [self.heads, self.heads + self.kv_heads]
        self.size = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.least = torch.tensor(math.sqrt(config.hidden_size * config.rms_norm_eps), device=model.device)
        root = math.sqrt(config.hidden_size)
        pairs = torch.arange(self.size).view(2, -1).t().reshape(-1)

        def paired(weight: Tensor, heads: int) -> Tensor:
            return weight.view(heads, self.size, -1)[:, pairs.to(weight.device)].reshape(heads * self.size, -1)

        self.layers = []
        for layer in model.model.layers:
            attention, mlp = layer.self_attn, layer.mlp
            query = paired(attention.q_proj.weight, self.heads) / math.sqrt(self.size)
            key = paired(attention.k_proj.weight, self.kv_heads)
            qkv = torch.cat([query, key, attention.v_proj.weight]) * (root * layer.input_layernorm.weight)
            gate_up = (
                torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * layer.post_attention_layernorm.weight * root
            )
            weights = (qkv, attention.o_proj.weight, gate_up, mlp.down_proj.weight)
            self.layers.append(_Layer(*(weight.detach().clone() for weight in weights)))
        self.embedding = model.model.embed_tokens.weight.detach().clone()
        self.head = (model.lm_head.weight * model.model.norm.weight * root).detach()
        frequencies = 1.0 / config.rope_parameters["rope_theta"] ** (torch.arange(0, self.size, 2) / self.size)
        angles = torch.outer(torch.arange(config.max_position_embeddings).float(), frequencies)
        self.rotation = torch.polar(torch.ones_like(angles), angles).to(model.device)

    def prefill(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, KV]:
        rows, width = ids.shape
        past: KV = []

        def attend(layer: int, qkv: Tensor) -> Tensor:
            q, k, v = qkv.view(rows, width, -1, self.size).transpose(1, 2).tensor_split(self.edges, 1)
            past.append((k, v))
            grouped = self.heads != self.kv_heads
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0, enable_gqa=grouped)
            return out.transpose(1, 2).reshape(rows * width, -1)

        rotation = self.rotation[:width].repeat(rows, 1)[:, None]
        hidden = self._hidden(ids.reshape(-1), rotation, attend)
        last = torch.arange(rows, device=ids.device) * width + lengths - 1
        return self._logits(hidden[last]), past

    def extend(self, past: KV, lengths: Tensor, ids: Tensor, branches: Tensor) -> Tensor:
        rows, width = ids.shape
        visible, positions = extension(lengths, past[0][0].shape[2], branches)
        positions = positions.clamp(max=self.rotation.shape[0] - 1)

        def attend(layer: int, qkv: Tensor) -> Tensor:
            q, k, v = qkv.view(rows, width, -1, self.size).transpose(1, 2).tensor_split(self.edges, 1)
            k, v = torch.cat([past[layer][0], k], 2), torch.cat([past[layer][1], v], 2)
            grouped = self.heads != self.kv_heads
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, scale=1.0, enable_gqa=grouped)
            return out.transpose(1, 2).reshape(rows * width, -1)

        hidden = self._hidden(ids.reshape(-1), self.rotation[positions.view(-1)][:, None], attend)
        return self._logits(hidden).view(rows, width, -1)

    def cache(self, like: KV, slots: int) -> PagedCache:
        return PagedCache(like, slots, self.heads)

    def step(self, cache: PagedCache, ids: Tensor) -> Tensor:
        rows = ids.shape[0]
        positions = torch.from_numpy(cache.length[:rows].copy()).to(ids.device)
        return self._logits(self._hidden(ids, self.rotation[positions][:, None], cache.plan(rows).attend))

    def _hidden(self, ids: Tensor, rotation: Tensor, attend: Attend) -> Tensor:
        """Hidden states [tokens, hidden] of flat ids with rotation [tokens, 1, size / 2]."""
        x: Tensor = self.embedding[ids]
        tokens, turned = ids.shape[0], self.heads + self.kv_heads
        for i, layer in enumerate(self.layers):
            qkv = _product(self._norm(x), layer.qkv).view(tokens, -1, self.size)
            torch.view_as_complex(qkv[:, :turned].view(tokens, turned, -1, 2)).mul_(rotation)
            x = _product(attend(i, qkv), layer.out).add_(x)
            gate, up = _product(self._norm(x), layer.gate_up).chunk(2, -1)
            x = _product(F.silu(gate).mul_(up), layer.down).add_(x)
        return x

    def _norm(self, x: Tensor) -> Tensor:
        """Unit length, up to the epsilon; the weights that follow hold the rest of the norm."""
        return x / torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), self.least)

    def _logits(self, hidden: Tensor) -> Tensor:
        return _product(self._norm(hidden), self.head)


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """Rows times a weight [out, in]; many rows by oneDNN, which uses the whole vector width of any processor."""
    if ONEDNN and x.shape[0] >= MANY and x.device.type == "cpu":
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
        return product
    return F.linear(x, weight)
