"""Any causal language model of the Hugging Face library: sampling by continuous batching, and training."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from whetstone.core.errors import ModelError
from whetstone.core.types import Prompt
from whetstone.models.checkpoint import verify_folder, write_folder
from whetstone.models.dialect import Dialect
from whetstone.models.engine.check import network_of
from whetstone.models.engine.embed import embeddings
from whetstone.models.engine.network import Network
from whetstone.models.engine.session import EngineSession
from whetstone.models.text import TextCodec

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
        lora_rank: 0 trains all weights; otherwise only adapters of this rank (needs peft).
        optimizer: makes the optimizer in place of AdamW.
        learning_rate: what training loops use that are given none; by default 1e-4 for adapters, 1e-5 otherwise.
        name: what the model is called; by default `hf/FOLDER`.

    Tokens of replies are those of their text: the end token is counted in `usage` but not listed, as nothing that
    comes after a stop string is. Networks under four million weights sample on one thread, since their operations are
    too short to share; otherwise the number of threads is torch's own setting.

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
        lora_rank: int = 0,
        optimizer: OptimizerFactory | None = None,
        learning_rate: float | None = None,
        name: str = "",
    ) -> None:
        net, tokenizer = _load(folder, _device(device), dtype)
        self._setup(net, tokenizer, dialect, slots, lora_rank, optimizer, learning_rate, name or f"hf/{folder}")

    @classmethod
    def of(
        cls,
        net: Any,
        tokenizer: Any,
        *,
        dialect: Dialect | None = None,
        slots: int = 256,
        lora_rank: int = 0,
        optimizer: OptimizerFactory | None = None,
        learning_rate: float | None = None,
        name: str = "model",
    ) -> TransformersModel:
        """A model from a network and a tokenizer (of transformers or of tokenizers) that are in memory already."""
        self = cls.__new__(cls)
        tokenizer = _wrapped(tokenizer, net)
        self._setup(net, tokenizer, dialect, slots, lora_rank, optimizer, learning_rate, name)
        return self

    def _setup(
        self,
        net: Any,
        tokenizer: Any,
        dialect: Dialect | None,
        slots: int,
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
        self.codec = TextCodec(tokenizer, dialect, _ends(net, tokenizer))
        self.context = _context(net.config.get_text_config(), tokenizer)
        self._size = sum(parameter.numel() for parameter in self.net.parameters())
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
            memory=_memory(self.device),
            threads=1 if self.device.type == "cpu" and self._size < SMALL else None,
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
        width = max(len(prompt) + len(completion) for prompt, completion in rows)
        ids = torch.tensor([(*p, *c, *[0] * (width - len(p) - len(c))) for p, c in rows], device=self.device)
        logits = self.net(input_ids=ids[:, :-1], use_cache=False).logits
        columns = torch.arange(int(counts.max()), device=self.device)
        places = (starts[:, None] - 1 + columns).clamp(max=width - 2)
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


def save_checkpoint(net: Any, tokenizer: Any, folder: Path, **about: str) -> None:
    """Write a network and its tokenizer to a folder, whole or not at all, with a manifest that says `about` it too.

    Raises:
        ModelError: the folder cannot be written.
    """

    wrapped = _wrapped(tokenizer, net)

    def write(fresh: Path) -> None:
        with _quiet():
            net.save_pretrained(fresh)
        wrapped.save_pretrained(fresh)

    write_folder(folder, write, about)


def _load(folder: Path | str, device: torch.device, dtype: str) -> tuple[Any, Any]:
    path = Path(folder)
    if path.is_dir():
        verify_folder(path)
        if not (path / "config.json").exists():
            raise ModelError(f"{path} is not a model folder: it has no config.json")
    elif path.exists():
        raise ModelError(f"{path} is a file; give the folder of a checkpoint")
    elif len(path.parts) != 2 or path.is_absolute():
        raise ModelError(f"there is no folder {path}")
    wanted = "float32" if dtype == "auto" and device.type == "cpu" else dtype
    try:
        AutoConfig.from_pretrained(path, local_files_only=True)
    except Exception as error:  # the library raises many kinds, each with a long message
        if not path.is_dir():
            hint = f"no folder {path}, and no such model in the local cache; get it with: hf download {path}"
            raise ModelError(hint) from error
        raise ModelError(f"{path}/config.json cannot be used: {_brief(error)}") from error
    try:
        with _quiet():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                path, local_files_only=True, dtype=wanted, output_loading_info=True
            )
    except Exception as error:
        if isinstance(error, ValueError) and "AutoModelForCausalLM" in str(error):
            raise ModelError(f"{path} is not a causal language model") from error
        raise ModelError(f"the weights of {path} cannot be loaded: {_brief(error)}") from error
    net, found = loaded
    if found["missing_keys"]:
        raise ModelError(f"{path} is not a whole causal language model: it lacks {min(found['missing_keys'])}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:
        raise ModelError(f"the tokenizer of {path} cannot be loaded: {_brief(error)}") from error
    return net.to(device), tokenizer


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars and reports: what they say is raised as an error here."""
    bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _brief(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _device(device: str) -> torch.device:
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator or torch.device("cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"device {device!r} is not available here: {_brief(error)}") from error
    return found


def _wrapped(tokenizer: Any, net: Any) -> Any:
    """A tokenizer of transformers; one of tokenizers gets its special tokens from the network's configuration."""
    if not isinstance(tokenizer, Tokenizer):
        return tokenizer
    config = net.config.get_text_config()
    names = {f"{kind}_token": getattr(config, f"{kind}_token_id", None) for kind in ("bos", "eos", "pad")}
    special = {name: tokenizer.id_to_token(token) for name, token in names.items() if isinstance(token, int)}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]


def _ends(net: Any, tokenizer: Any) -> list[int]:
    """End tokens, the tokenizer's own first."""
    configured = getattr(getattr(net, "generation_config", None), "eos_token_id", None) or net.config.eos_token_id
    several = configured if isinstance(configured, list | tuple) else [configured]
    return list(dict.fromkeys(end for end in (tokenizer.eos_token_id, *several) if end is not None))


def _context(config: Any, tokenizer: Any) -> int:
    """Tokens that a row may hold. Within a sliding window all layers see everything, as the engine assumes."""
    limits = [getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length]
    kinds = getattr(config, "layer_types", None)
    window = getattr(config, "sliding_window", None)
    if window and getattr(config, "use_sliding_window", True) and (kinds is None or "sliding_attention" in kinds):
        limits.append(window)
    return int(min(limits))


def _memory(device: torch.device) -> int:
    """Bytes for the cache of running rows: half of what is free on an accelerator, a quarter of the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // 2
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return 4 << 30


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
