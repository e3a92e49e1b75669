"""Which weights a phase of training may change: all, the last ones, or matrices of low rank added to them."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor

from whetstone.loops.trainable import Trainable

Scope = Literal["full", "partial", "low_rank"]


def tuned(model: Trainable, scope: Scope, *, share: float = 0.5, rank: int = 4) -> Trainable:
    """The same model with an optimizer that changes a part of it.

    Args:
        scope: "full"; "partial": the last `share` of the weight tensors; "low_rank": for each matrix W, only
            B A in W + B A with `rank` columns in B (LoRA), everything else frozen. Both are trained by AdamW.
    """
    return model if scope == "full" else cast(Trainable, _Tuned(model, scope, share, rank))


class _Tuned:
    """A model seen through another optimizer."""

    def __init__(self, model: Trainable, scope: Scope, share: float, rank: int) -> None:
        self.model, self.scope, self.rank = model, scope, rank
        every = model.parameters()
        last = every[len(every) - max(1, round(share * len(every))) :]
        self.chosen = last if scope == "partial" else [p for p in every if p.ndim == 2]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def parameters(self) -> list[Tensor]:
        return self.chosen

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        if self.scope == "partial":
            return torch.optim.AdamW(self.chosen, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)
        return LowRank(self.chosen, lr=lr, rank=self.rank)


class LowRank(torch.optim.Optimizer):
    """AdamW on B [m, r] and A [r, n] of every matrix W + B A; their gradients follow from that of the matrix.

    B begins at 0 and A at random, as in "LoRA: Low-Rank Adaptation of Large Language Models" (section 4.1).
    """

    def __init__(self, matrices: list[Tensor], *, lr: float, rank: int, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.frozen = [matrix.detach().clone() for matrix in matrices]
        self.right = [torch.randn(rank, m.shape[1], generator=generator).to(m) / m.shape[1] ** 0.5 for m in matrices]
        self.left = [m.new_zeros(m.shape[0], rank) for m in matrices]
        self.adam = torch.optim.AdamW([*self.left, *self.right], lr=lr, betas=(0.9, 0.98), weight_decay=0.0)
        super().__init__([{"params": matrices}], {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step at the rate that `param_groups` name."""
        self.adam.param_groups[0]["lr"] = self.param_groups[0]["lr"]
        matrices = self.param_groups[0]["params"]
        for matrix, left, right in zip(matrices, self.left, self.right, strict=True):
            gradient = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
            left.grad, right.grad = gradient @ right.T, left.T @ gradient
        self.adam.step()
        for matrix, base, left, right in zip(matrices, self.frozen, self.left, self.right, strict=True):
            matrix.copy_(base + left @ right)
