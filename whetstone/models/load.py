"""Models by name, as the command line gives them."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import cast

from whetstone.core.errors import ConfigError
from whetstone.core.types import Model
from whetstone.models.recorded import RecordedModel
from whetstone.models.scripted import read_scripted

SPECS = {
    "grit": "the embedded model",
    "grit:FOLDER": "a checkpoint of it",
    "hf/PATH": "a folder (or the cached name) of a Hugging Face causal language model, or of a LoRA adapter of one",
    "openai/MODEL@URL": "a model of an OpenAI-compatible server; without @URL, of OPENAI_BASE_URL",
    "recorded:FILE": "replies from a JSONL file",
    "scripted:FILE": "texts given out in turn",
}


def load_model(spec: str, *, device: str = "auto") -> Model:
    """The model that `spec` names.

    Args:
        spec: `grit`, `grit:FOLDER`, `hf/PATH`, `openai/MODEL@URL`, `recorded:FILE` or `scripted:FILE`.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; only models that run here look at it.

    Raises:
        ConfigError: no such kind of model, or the packages it needs are not installed.
        ModelError: the model itself cannot be loaded.
    """
    kind, _, rest = spec.partition(":")
    if spec == "grit" or (kind == "grit" and rest):
        return cast(
            Model,
            _local("whetstone.models.grit").load_grit(
                Path(rest) if rest else None, device="cpu" if device == "auto" else device
            ),
        )
    if spec.startswith("hf/") and len(spec) > 3:
        return cast(Model, _local("whetstone.models.transformers").TransformersModel(spec[3:], device=device))
    if spec.startswith("openai/"):
        return cast(Model, _installed("whetstone.models.http.model", "http").load_http(spec[7:]))
    if kind == "recorded" and rest:
        return RecordedModel(Path(rest))
    if kind == "scripted" and rest:
        return read_scripted(Path(rest))
    known = "; ".join(f"{name} ({what})" for name, what in SPECS.items())
    raise ConfigError(f"unknown model {spec!r}; possible are: {known}")


def _local(module: str) -> ModuleType:
    """Import a backend that needs torch only when it is asked for."""
    # threads that wait for each other must sleep, not spin: where cores are shared, spinning costs ten times the work
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return _installed(module, "local")


def _installed(module: str, extra: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("whetstone"):
            raise
        raise ConfigError(f"this model needs {error.name}; run: pip install 'whetstone[{extra}]'") from error
