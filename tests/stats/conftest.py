"""Reference numbers of other packages, with the data they were computed from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("reference.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def comparison() -> dict[str, Any]:
    """Numbers of statsmodels and rliable for comparisons of systems."""
    return json.loads(Path(__file__).with_name("comparison_reference.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def data(reference) -> dict[str, list[float]]:
    return reference["data"]
