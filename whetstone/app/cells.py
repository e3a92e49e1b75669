"""Cells of tables as people write them, and columns by their usual names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from whetstone.app.scores import ALIASES
from whetstone.core.errors import TaskError

SYSTEM = (*ALIASES["system"], "name")
MISSING = ("", "-", "–", "n/a", "na", "nan")
NEEDED = (
    "needed: model_a, model_b and winner (battles), or ranking, or rank_1, rank_2 ... (rankings), or system and a "
    "column for each task (scores)"
)


def absent(value: Any) -> bool:
    """Does the cell say that there is no value?"""
    return value is None or str(value).strip().casefold() in MISSING


def number(value: Any) -> float | None:
    """A value as a finite number; None where it is not one."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def name_of(value: Any, row: int, column: str) -> str:
    """A name without stray spaces. Raises TaskError where there is none."""
    if value is None or not str(value).strip():
        raise TaskError(f"row {row}, column {column}: no value")
    return " ".join(str(value).split())


def column_of(known: Sequence[str], there: Sequence[str]) -> str | None:
    """The first column of one of these names, in upper or lower case."""
    cased = {name.casefold(): name for name in reversed(there)}
    return next((cased[name] for name in known if name in cased), None)


def listed(names: Sequence[str], *, most: int = 12) -> str:
    """Names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
