"""A trainable model whose finished training phases are kept on disk, so that a resumed run reads them instead.

Loops change weights in phases that end with `changed()`. The i-th phase of a run always trains the same items from the
same weights, so its result is read from `phase-i` when that checkpoint is complete and a recorded round ended with its
weights. Until it is read, differentiable `logprobs` and the optimizer are inexpensive stand-ins: their result would be
thrown away. Everything without gradient (sampling, reference log-probabilities) is always the real model's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from whetstone.app import checkpoints
from whetstone.core.types import Prompt, Session
from whetstone.loops.trainable import Trainable


class Checkpointed:
    """Wraps a `Trainable`.

    Args:
        folder: holds its phases.
        recorded: fingerprints of the weights with which recorded rounds ended.
    """

    def __init__(self, inner: Trainable, folder: Path, recorded: Collection[str] = ()) -> None:
        self.inner, self.folder, self.recorded = inner, folder, recorded
        self.phase = 0
        self._stand_in = torch.zeros(1, requires_grad=True)
        self._finished = checkpoints.complete(self._place) in recorded

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def learning_rate(self) -> float:
        return self.inner.learning_rate

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    def open(self) -> Session:
        return self.inner.open()

    @property
    def _place(self) -> Path:
        return self.folder / f"phase-{self.phase + 1}"

    def changed(self) -> None:
        """End a phase: read its weights where they are complete, else keep the new ones."""
        state = checkpoints.load(self._place) if self._finished else None
        if state is None:
            self.inner.changed()
            checkpoints.save(self.inner.state(), self._place, fingerprint=self.inner.fingerprint)
        else:
            self.inner.load_state(state)
        self.phase += 1
        self._finished = checkpoints.complete(self._place) in self.recorded

    def logprobs(self, items: Sequence[tuple[Prompt, str]]) -> tuple[Tensor, Tensor]:
        """The model's, or a stand-in for a phase that will be read."""
        if torch.is_grad_enabled() and self._finished:
            return self._stand_in.expand(len(items), 1), torch.ones(len(items), 1)
        return self.inner.logprobs(items)

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        """The model's, or a stand-in for a phase that will be read."""
        if self._finished:
            return torch.optim.SGD([self._stand_in], lr=0.0)
        return self.inner.optimizer(lr=lr, weight_decay=weight_decay)

    def parameters(self) -> list[Tensor]:
        """The model's, or a stand-in for a phase that will be read."""
        return [self._stand_in] if self._finished else self.inner.parameters()

    def state(self) -> dict[str, Tensor]:
        return self.inner.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.inner.load_state(state)

    def save(self, folder: Path) -> None:
        self.inner.save(folder)

    def encode_length(self, prompt: Prompt, completion: str) -> int:
        return self.inner.encode_length(prompt, completion)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)
