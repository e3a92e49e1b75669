"""Outputs that an expert scored, as cases: rows of a file become questions with candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whetstone.audits.evaluating import finite
from whetstone.core.errors import TaskError
from whetstone.core.types import Candidate, Case, Example, Generation, Json, form, user


def cases_of(rows: Iterable[Mapping[str, Any]]) -> list[Case]:
    """Rows with `input`, `output` and `score`, and if known `reference` and `model`, as one case an input.

    The scores become the example's `meta["ratings"]`, one a candidate, and the reference its `meta["model_answer"]`.

    Raises TaskError that names the row.
    """
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for line, row in enumerate(rows, 1):
        if not isinstance(row.get("input"), str) or not isinstance(row.get("output"), str):
            raise TaskError(f"row {line}: needs input and output, two texts")
        if isinstance(row.get("score"), bool) or not isinstance(row.get("score"), (int, float)):
            raise TaskError(f"row {line}: score is {row.get('score')!r}; it must be a number")
        asked.setdefault(row["input"], []).append({**row, "score": finite(row["score"], f"row {line}: score")})
    cases = []
    for i, (question, found) in enumerate(asked.items()):
        ratings: list[Json] = [row["score"] for row in found]
        meta: dict[str, Json] = {"ratings": ratings}
        reference = next((str(row["reference"]) for row in found if row.get("reference")), None)
        if reference is not None:
            meta["model_answer"] = reference
        candidates = tuple(
            Candidate(str(j), Generation(row["output"]), str(row.get("model") or "")) for j, row in enumerate(found)
        )
        name = f"input-{i + 1}"
        cases.append(Case(Example(name, user(form("solve", "{question}", question=question)), meta=meta), candidates))
    return cases
