"""Recorded outputs of real models, outside the repository: `WHETSTONE_RECORDED_DATA`, by default ../shared/data."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DEFAULT = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Path]:
    """The folder of one recorded data set; skips the test when it is not there."""
    root = Path(os.environ.get("WHETSTONE_RECORDED_DATA") or DEFAULT)

    def folder(name: str) -> Path:
        if not (root / name).is_dir():
            pytest.skip(f"no recorded data in {root / name}; set WHETSTONE_RECORDED_DATA")
        return root / name

    return folder


@pytest.fixture(scope="session")
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """Reads a .jsonl.gz file."""

    def read(path: Path) -> list[dict[str, Any]]:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    return read
