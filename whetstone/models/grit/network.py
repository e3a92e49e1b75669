"""grit's network: a Hugging Face `LlamaForCausalLM`, small enough to train on one core in minutes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from whetstone.models.grit.dialect import END, IDS, PAD, VOCABULARY

POSITIONS = 1024


def build_network(
    *, seed: int, hidden: int = 64, layers: int = 4, heads: int = 4, head_size: int = 32, inner: int = 128
) -> Any:
    """A randomly initialised grit.

    Heads of size 32 matter: with heads of size 16 the model binds labels to other entries' numbers, and its
    critic shares the blind spot (`docs/grit.md`).
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=head_size,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        pad_token_id=IDS[PAD],
        bos_token_id=None,
        eos_token_id=IDS[END],
        initializer_range=0.08,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
    )
    return LlamaForCausalLM(config)


class MuonWithAdam(torch.optim.Optimizer):
    """Muon for the hidden matrices, AdamW at a fifth of its rate for embeddings and norms, as one optimizer.

    `torch.optim.Muon` orthogonalises one matrix at a time and in bfloat16; here matrices of one shape go together
    and in their own precision, which is twice as fast at this size (Newton-Schulz coefficients as in "Muon: An
    optimizer for hidden layers in neural networks").
    """

    def __init__(self, named: list[tuple[str, Tensor]], *, lr: float, weight_decay: float = 0.0) -> None:
        matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in named if p.ndim != 2 or "embed" in name]
        self.adam = torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
        self.groups: dict[torch.Size, list[Tensor]] = {}
        for matrix in matrices:
            self.groups.setdefault(matrix.shape, []).append(matrix)
        self.momentum: dict[torch.Size, Tensor] = {}
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step at the rate that `param_groups` name."""
        rate, decay = self.param_groups[0]["lr"], self.param_groups[0]["weight_decay"]
        self.adam.param_groups[0]["lr"] = rate / 5
        self.adam.step()
        for shape, matrices in self.groups.items():
            gradient = torch.stack([m.grad if m.grad is not None else torch.zeros_like(m) for m in matrices])
            old = self.momentum.get(shape)
            momentum = self.momentum[shape] = gradient.clone() if old is None else old.mul_(0.95).add_(gradient)
            updates = orthogonal(gradient + 0.95 * momentum)
            scale = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            for matrix, update in zip(matrices, updates, strict=True):
                matrix.mul_(1 - rate * decay).add_(update, alpha=-scale)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices [B, m, n] with their singular values pushed to about 1, by five Newton-Schulz steps."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * (gram @ gram)) @ x
    result: Tensor = x.transpose(1, 2) if tall else x
    return result


def optimizer(network: Any, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    """The optimizer that grit is trained with, at first and later."""
    return MuonWithAdam(list(network.named_parameters()), lr=lr, weight_decay=weight_decay)
