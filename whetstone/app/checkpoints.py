"""Weights on disk, whole or not at all.

A checkpoint is a folder of `weights.safetensors` and `manifest.json` (name -> SHA-256 of every file). It is written
beside its place and renamed; a folder without a manifest that fits is never loaded.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from whetstone.core.decode import read_json
from whetstone.core.errors import StoreError

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"


def save(state: Mapping[str, Tensor], folder: Path, *, fingerprint: str) -> None:
    """Write a state atomically, replacing what stands there. Raises StoreError when the folder cannot be written."""
    from safetensors.torch import save_file

    half = folder.with_name(f"{folder.name}.half-written")
    try:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, half / WEIGHTS)
        manifest = {"fingerprint": fingerprint, "files": {WEIGHTS: digest(half / WEIGHTS)}}
        with (half / MANIFEST).open("w", encoding="utf-8") as out:
            json.dump(manifest, out)
            out.flush()
            os.fsync(out.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(half, folder)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"{folder}: checkpoint cannot be written ({reason}); free some space, then resume") from error


def load(folder: Path) -> dict[str, Tensor] | None:
    """The state of a complete checkpoint; None where there is none, or one whose manifest does not fit."""
    from safetensors.torch import load_file

    if complete(folder) is None:
        return None
    state: dict[str, Tensor] = load_file(folder / WEIGHTS)
    return state


def complete(folder: Path) -> str | None:
    """The fingerprint of a checkpoint whose manifest names every file with the hash it has; else None."""
    try:
        manifest = read_json((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        whole = bool(files) and all(digest(folder / name) == expected for name, expected in files.items())
        return str(manifest["fingerprint"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return sha256(file.read_bytes()).hexdigest()
