"""Checkpoints of the Hugging Face library: loading with errors that say what is wrong, and what follows from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError
from whetstone.models.checkpoint import verify_folder, write_folder

ADAPTER = "adapter_config.json"


def save_checkpoint(net: Any, tokenizer: Any, folder: Path, **about: str) -> None:
    """Write a network and its tokenizer to a folder, whole or not at all, with a manifest that says `about` it too.

    Raises:
        ModelError: the folder cannot be written.
    """
    writer = wrapped(tokenizer, net)

    def write(fresh: Path) -> None:
        with _quiet():
            net.save_pretrained(fresh)
        writer.save_pretrained(fresh)

    write_folder(folder, write, about)


def load_pretrained(
    folder: Path | str, device: torch.device, dtype: str, *, above: tuple[Path, ...] = ()
) -> tuple[Any, Any]:
    """Network and tokenizer of a folder or of a model in the local cache; nothing is downloaded.

    Args:
        folder: the folder, or `owner/name`. A folder of a LoRA adapter names its base model, into which it is merged.
        device: where the network goes.
        dtype: `auto` is float32 on the CPU and the checkpoint's own type elsewhere.
        above: the adapters whose base model this is; it can be none of them.

    Raises:
        ModelError: missing, incomplete, damaged, or not a causal language model.
    """
    path = Path(folder)
    if path.is_dir():
        verify_folder(path)
        if (path / ADAPTER).exists() and not (path / "config.json").exists():
            return _adapted(path, device, dtype, (*above, path.resolve()))
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
    return net.to(device), _tokenizer(path)


def _tokenizer(path: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:
        raise ModelError(f"the tokenizer of {path} cannot be loaded: {_brief(error)}") from error


def _adapted(path: Path, device: torch.device, dtype: str, adapters: tuple[Path, ...]) -> tuple[Any, Any]:
    """The base model of an adapter with the adapter merged in; the tokenizer is the adapter's own if it has one."""
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise ModelError(f"{path} holds an adapter, which needs peft; run: pip install 'whetstone[local]'") from error
    try:
        base = read_json((path / ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path / ADAPTER} cannot be used: {error}") from error
    if not isinstance(base, str) or not base or Path(base).resolve() in adapters:
        raise ModelError(f"{path / ADAPTER} names no base model other than itself")
    try:
        net, tokenizer = load_pretrained(base, device, dtype, above=adapters)
    except ModelError as error:
        raise ModelError(f"the base model of the adapter {path}: {error}") from error
    try:
        with _quiet():
            net = PeftModel.from_pretrained(net, path, local_files_only=True).merge_and_unload()
    except Exception as error:  # as above
        raise ModelError(f"the adapter {path} does not fit {base}: {_brief(error)}") from error
    return net, _tokenizer(path) if (path / "tokenizer_config.json").exists() else tokenizer


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


def find_device(device: str) -> torch.device:
    """The device of that name; `auto` is an accelerator if there is one.

    Raises:
        ModelError: there is no such device here.
    """
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator or torch.device("cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"device {device!r} is not available here: {_brief(error)}") from error
    return found


def wrapped(tokenizer: Any, net: Any) -> Any:
    """A tokenizer of transformers; one of tokenizers gets its special tokens from the network's configuration."""
    if not isinstance(tokenizer, Tokenizer):
        return tokenizer
    config = net.config.get_text_config()
    names = {f"{kind}_token": getattr(config, f"{kind}_token_id", None) for kind in ("bos", "eos", "pad")}
    special = {name: tokenizer.id_to_token(token) for name, token in names.items() if isinstance(token, int)}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]


def end_tokens(net: Any, tokenizer: Any) -> list[int]:
    """End tokens, the tokenizer's own first."""
    configured = getattr(getattr(net, "generation_config", None), "eos_token_id", None) or net.config.eos_token_id
    several = configured if isinstance(configured, list | tuple) else [configured]
    return list(dict.fromkeys(end for end in (tokenizer.eos_token_id, *several) if end is not None))


def context_limit(config: Any, tokenizer: Any) -> int:
    """Tokens that a row may hold. Within a sliding window all layers see everything, as the engine assumes."""
    limits = [getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length]
    kinds = getattr(config, "layer_types", None)
    window = getattr(config, "sliding_window", None)
    if window and getattr(config, "use_sliding_window", True) and (kinds is None or "sliding_attention" in kinds):
        limits.append(window)
    return int(min(limits))


def cache_memory(device: torch.device) -> int:
    """Bytes for the cache of running rows: half of what is free on an accelerator, a quarter of the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // 2
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return 4 << 30
