"""The seam between training loops and a model's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from whetstone.core.types import Model, Prompt


class Trainable(Model, Protocol):
    """A model whose weights a loop may change.

    `logprobs` is differentiable; everything else of training (objective, batches, schedule) is the loop's. After a
    change of weights `changed` must be called: the fingerprint and whatever serves samples are then renewed.
    """

    @property
    def learning_rate(self) -> float:
        """A rate at which `optimizer` fine-tunes this model well, for a loop that was given none."""

    def logprobs(self, items: Sequence[tuple[Prompt, str]]) -> tuple[Tensor, Tensor]:
        """Per-token natural-log probabilities of each completion, its end token included.

        Returns:
            Log-probabilities [B, T], right-padded, with gradient; and their mask [B, T] of 0 and 1.
        """

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        """A fresh optimizer over `parameters()`, of the kind that suits this model."""

    def parameters(self) -> list[Tensor]:
        """The weights that training changes (an adapter's only, when there is one)."""

    def changed(self) -> None:
        """Tell the model that its weights have changed."""

    def state(self) -> dict[str, Tensor]:
        """A copy of the trained weights, in memory."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Put a copy back; implies `changed`."""

    def save(self, folder: Path) -> None:
        """Write a checkpoint that is either complete or absent."""

    def encode_length(self, prompt: Prompt, completion: str) -> int:
        """Tokens of prompt and completion together, the end token included."""
