"""Any causal language model of the Hugging Face library: sampling by continuous batching, and training."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from whetstone.core.errors import ModelError
from whetstone.core.types import Prompt
from whetstone.models.dialect import Dialect
from whetstone.models.engine.batches import padded
from whetstone.models.engine.check import network_of
from whetstone.models.engine.embed import embeddings
from whetstone.models.engine.network import Network
from whetstone.models.engine.session import EngineSession
from whetstone.models.pretrained import (
    cache_memory,
    context_limit,
    end_tokens,
    find_device,
    load_pretrained,
    save_checkpoint,
    wrapped,
)
from whetstone.models.text import TextCodec

__all__ = ["OptimizerFactory", "TransformersModel", "save_checkpoint"]

SMALL = 4_000_000
"""Networks with fewer weights sample on one thread."""


class OptimizerFactory(Protocol):
    """Makes an optimizer of a network's trainable weights."""

    def __call__(self, network: Any, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        """An optimizer with fresh state."""


class TransformersModel:
    """A causal language model that samples, scores, embeds and learns.

    Args:
        folder: a checkpoint folder, or the name of a model in the local Hugging Face cache. Nothing is downloaded.
        device: `auto` (an accelerator if there is one), `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `auto` is float32 on the CPU and the checkpoint's own type elsewhere; or `float32`, `bfloat16` ...
        dialect: renders prompts instead of the tokenizer's chat template.
        slots: most replies that are generated at once.
        threads: of torch while it samples and scores; None: one for networks under four million weights, whose
            operations are too short to share unless cores are idle, otherwise torch's own setting.
        lora_rank: 0 trains all weights; otherwise only adapters of this rank (needs peft).
        optimizer: makes the optimizer in place of AdamW.
        learning_rate: what training loops use that are given none; by default 1e-4 for adapters, 1e-5 otherwise.
        name: what the model is called; by default `hf/FOLDER`.

    Tokens of replies are those of their text: the end token is counted in `usage` but not listed, as nothing that
    comes after a stop string is.

    Raises:
        ModelError: the folder is missing, incomplete, damaged, or not a causal language model.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        dialect: Dialect | None = None,
        slots: int = 256,
        threads: int | None = None,
        lora_rank: int = 0,
        optimizer: OptimizerFactory | None = None,
        learning_rate: float | None = None,
        name: str = "",
    ) -> None:
        net, tokenizer = load_pretrained(folder, find_device(device), dtype)
        self._setup(
            net, tokenizer, dialect, slots, threads, lora_rank, optimizer, learning_rate, name or f"hf/{folder}"
        )

    @classmethod
    def of(
        cls,
        net: Any,
        tokenizer: Any,
        *,
        dialect: Dialect | None = None,
        slots: int = 256,
        threads: int | None = None,
        lora_rank: int = 0,
        optimizer: OptimizerFactory | None = None,
        learning_rate: float | None = None,
        name: str = "model",
    ) -> TransformersModel:
        """A model from a network and a tokenizer (of transformers or of tokenizers) that are in memory already."""
        self = cls.__new__(cls)
        tokenizer = wrapped(tokenizer, net)
        self._setup(net, tokenizer, dialect, slots, threads, lora_rank, optimizer, learning_rate, name)
        return self

    def _setup(
        self,
        net: Any,
        tokenizer: Any,
        dialect: Dialect | None,
        slots: int,
        threads: int | None,
        lora_rank: int,
        optimizer: OptimizerFactory | None,
        learning_rate: float | None,
        name: str,
    ) -> None:
        if slots < 1:
            raise ModelError("slots must be at least 1")
        self.name, self.slots, self.device = name, slots, net.device
        self.learning_rate = learning_rate or (1e-4 if lora_rank else 1e-5)
        self.net = (_with_adapters(net, lora_rank) if lora_rank else net).eval()
        self.tokenizer, self.dialect = tokenizer, dialect
        self.codec = TextCodec(tokenizer, dialect, end_tokens(net, tokenizer))
        self.context = context_limit(net.config.get_text_config(), tokenizer)
        small = net.device.type == "cpu" and sum(parameter.numel() for parameter in self.net.parameters()) < SMALL
        self.threads = 1 if small and threads is None else threads
        self._lora = bool(lora_rank)
        self._make_optimizer = optimizer or _adamw
        self._fingerprint: str | None = None
        self._network: Network | None = None
        self._kind: Callable[[Any], Network] | None = None

    # ---------------------------------------------------------------------------------- asking

    @property
    def fingerprint(self) -> str:
        """Hash of weights, configuration, tokenizer, end tokens and dialect; computed once after each change."""
        if self._fingerprint is None:
            self._fingerprint = self._hash()
        return self._fingerprint

    def open(self) -> EngineSession:
        """Start a session on the weights as they are now.

        Raises:
            ModelError: the architecture has no standard key-value cache.
        """
        if self._network is None:
            if self._kind is None:
                self._network = network_of(self.net)
                self._kind = type(self._network)
            else:
                with torch.inference_mode():
                    self._network = self._kind(self.net)
        return EngineSession(
            self._network,
            self.codec,
            lambda items: embeddings(self.net, items),
            device=self.device,
            slots=self.slots,
            context=self.context,
            memory=cache_memory(self.device),
            threads=self.threads,
        )

    # ---------------------------------------------------------------------------------- training

    def logprobs(self, items: Sequence[tuple[Prompt, str]]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of completions, end token included, as a differentiable function of the weights.

        Args:
            items: (prompt, completion) pairs.

        Returns:
            Log-probabilities [items, longest completion], padded on the right, and their mask of 0 and 1.

        Raises:
            ModelError: a pair exceeds the model's context.
            Unsupported: the model cannot read a prompt or spell a completion.
        """
        rows = [self._ids(prompt, completion) for prompt, completion in items]
        starts = torch.tensor([len(prompt) for prompt, _ in rows], device=self.device)
        counts = torch.tensor([len(completion) for _, completion in rows], device=self.device)
        ids = padded([(*prompt, *completion) for prompt, completion in rows], self.device)
        logits = self.net(input_ids=ids[:, :-1], use_cache=False).logits
        columns = torch.arange(int(counts.max()), device=self.device)
        places = (starts[:, None] - 1 + columns).clamp(max=ids.shape[1] - 2)
        targets = ids.gather(1, places + 1)
        picked = logits[torch.arange(len(rows), device=self.device)[:, None], places].float()
        losses = F.cross_entropy(picked.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
        mask = (columns < counts[:, None]).to(losses.dtype)
        return -losses * mask, mask

    def encode_length(self, prompt: Prompt, completion: str) -> int:
        """Tokens of a training item, end token included."""
        return sum(map(len, self._ids(prompt, completion)))

    def optimizer(self, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
        """A fresh optimizer of the trainable weights."""
        return self._make_optimizer(self.net, lr=lr, weight_decay=weight_decay)

    def parameters(self) -> list[Tensor]:
        """The trainable weights."""
        return [parameter for parameter in self.net.parameters() if parameter.requires_grad]

    def changed(self) -> None:
        """Say that the weights changed: sessions opened from now on use the new ones."""
        self._fingerprint = self._network = None

    def state(self) -> dict[str, Tensor]:
        """A copy of the trainable weights."""
        named = self.net.named_parameters()
        return {name: parameter.detach().clone() for name, parameter in named if parameter.requires_grad}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go back to a copy of the weights.

        Raises:
            ModelError: the copy is of another model.
        """
        own = {name: parameter for name, parameter in self.net.named_parameters() if parameter.requires_grad}
        if {n: p.shape for n, p in own.items()} != {n: p.shape for n, p in state.items()}:
            raise ModelError(f"the saved state does not belong to {self.name}")
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(state[name])
        self.changed()

    def save(self, folder: Path) -> None:
        """Write a checkpoint that any Hugging Face loader reads, whole or not at all; adapters are merged in.

        Raises:
            ModelError: the folder cannot be written.
        """
        net = copy.deepcopy(self.net).merge_and_unload() if self._lora else self.net
        save_checkpoint(net, self.tokenizer, folder, name=self.name, fingerprint=self.fingerprint)

    # ---------------------------------------------------------------------------------- inside

    def _ids(self, prompt: Prompt, completion: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        ids = self.codec.prompt(prompt), (*self.codec.continuation(completion), self.codec.end)
        total = sum(map(len, ids))
        if total > self.context:
            raise ModelError(f"a training item of {total} tokens exceeds the model's context of {self.context}")
        return ids

    def _hash(self) -> str:
        config = self.net.config.to_dict()
        for place in ("_name_or_path", "transformers_version", "dtype", "architectures"):
            config.pop(place, None)
        tokenizer = self.tokenizer
        dialect = type(self.dialect).__qualname__ if self.dialect is not None else None
        settings = [config, str(self.net.dtype), tokenizer.get_vocab(), tokenizer.chat_template, self.codec.ends]
        digest = sha256(json.dumps([*settings, dialect], sort_keys=True, default=str).encode())
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is not None:
            digest.update(backend.to_str().encode())
        for name, tensor in sorted(self.net.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()


def _adamw(network: Any, *, lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(trainable, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)


def _with_adapters(net: Any, rank: int) -> Any:
    try:
        import peft
    except ModuleNotFoundError as error:
        raise ModelError("lora_rank needs peft; run: pip install 'whetstone[local]'") from error
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    return peft.get_peft_model(net, config)
