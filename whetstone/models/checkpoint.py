"""Checkpoints on disk: plain Hugging Face folders, written whole or not at all, with a manifest of their files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from hashlib import file_digest
from pathlib import Path

from whetstone.core.decode import read_json
from whetstone.core.errors import ModelError

MANIFEST = "manifest.json"


def write_folder(folder: Path, write: Callable[[Path], None], about: Mapping[str, str]) -> None:
    """Fill a folder by `write`, add the manifest, and put it in the place of what was there.

    Args:
        folder: where the checkpoint will be; replaced if it exists.
        write: writes the files into the folder it is given.
        about: further entries of the manifest.

    Raises:
        ModelError: the folder cannot be written.
    """
    try:
        folder = folder.resolve()
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            write(fresh)
            files = {file.name: _digest(file) for file in sorted(fresh.iterdir()) if file.is_file()}
            (fresh / MANIFEST).write_text(json.dumps({**about, "files": files}, indent=1) + "\n")
            fresh.chmod(0o755)
            _replace(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise ModelError(f"cannot write the checkpoint {folder}: {error}") from error


def _replace(fresh: Path, folder: Path) -> None:
    """A folder cannot be renamed onto a full one, so the old one steps aside first."""
    old = fresh.with_name(fresh.name + ".old")
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def verify_folder(folder: Path) -> None:
    """Compare a checkpoint with its manifest; one without a manifest passes.

    Raises:
        ModelError: a file is missing or differs, or the manifest cannot be read.
    """
    manifest = folder / MANIFEST
    if not manifest.exists():
        return
    try:
        files = dict(read_json(manifest.read_text())["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{manifest} is not a manifest: {error!r}") from error
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise ModelError(f"the checkpoint {folder} lacks {name}")
        if _digest(folder / name) != digest:
            raise ModelError(f"the checkpoint {folder} is damaged: {name} differs from {MANIFEST}")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
