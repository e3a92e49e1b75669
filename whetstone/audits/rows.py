"""Verdicts as rows of a file (`verdicts.jsonl`) made into columns.

A row is one time that a judge was asked about two answers:

    verdict                      "first", "second", "tie", a number from 0 to 1 (probability of the first), or null
    label                        the same, by people or a verifier; may be absent
    prompt                       what was asked: the cluster of intervals
    first, second                who wrote the answers, as shown
    first_length, second_length  in any one unit
    pair, swapped                by default told from prompt, first and second: the first row of a pair has its order
    judge                        who judged; each judge gets columns of its own

Only `verdict` is needed; each further field allows more audits.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from whetstone.audits.recorded import Verdicts
from whetstone.core.errors import TaskError

SHARES = {"first": 1.0, "second": 0.0, "tie": 0.5}
KNOWN = "first, second, tie, a number from 0 to 1, or null"


def verdicts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Verdicts]:
    """Columns of each judge's verdicts; rows without a judge are one judge's, named "judge".

    Raises TaskError that names the row (from 1) and the field.
    """
    by_judge: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for i, row in enumerate(rows, 1):
        by_judge.setdefault(str(row.get("judge") or "judge"), []).append((i, row))
    return {judge: _columns(of) for judge, of in by_judge.items()}


def _columns(rows: list[tuple[int, Mapping[str, Any]]]) -> Verdicts:
    pairs: dict[Hashable, int] = {}
    prompts: dict[Hashable, int] = {}
    names: dict[str, int] = {}
    order: dict[int, str] = {}
    pair, swapped, group = (np.zeros(len(rows), np.intp) for _ in range(3))
    has_prompt, has_sources, has_lengths = (
        all(row.get(name) is not None for _, row in rows for name in fields)
        for fields in (("prompt",), ("first", "second"), ("first_length", "second_length"))
    )
    for at, (i, row) in enumerate(rows):
        first, second = str(row.get("first")), str(row.get("second"))
        key: Hashable = row.get("pair")
        if key is None:
            key = (row["prompt"], *sorted((first, second))) if has_prompt and has_sources else ("row", i)
        pair[at] = pairs.setdefault(key, len(pairs))
        group[at] = prompts.setdefault(row["prompt"] if has_prompt else key, len(prompts))
        known = row.get("swapped")
        if known is not None and not isinstance(known, bool):
            raise TaskError(f"row {i}: swapped is {known!r}; it can be true or false")
        swapped[at] = order.setdefault(int(pair[at]), first) != first if known is None else known
    if has_sources:
        for _, row in rows:
            for side in ("first", "second"):
                names.setdefault(str(row[side]), len(names))
    labelled = any(row.get("label") is not None for _, row in rows)
    return Verdicts(
        np.array([_share(i, row, "verdict") for i, row in rows]),
        pair,
        swapped.astype(bool),
        np.array([_share(i, row, "label") for i, row in rows]) if labelled else None,
        np.array([[_length(i, row, s) for s in ("first_length", "second_length")] for i, row in rows])
        if has_lengths
        else None,
        np.array([[names[str(row[s])] for s in ("first", "second")] for _, row in rows]) if has_sources else None,
        tuple(names),
        group,
    )


def _share(i: int, row: Mapping[str, Any], field: str) -> float:
    value = row.get(field)
    if field == "verdict" and field not in row:
        raise TaskError(f"row {i}: no verdict; it can be {KNOWN}")
    if value is None:
        return float("nan")
    if isinstance(value, str) and value in SHARES:
        return SHARES[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise TaskError(f"row {i}: {field} is {value!r}; it can be {KNOWN}")


def _length(i: int, row: Mapping[str, Any], field: str) -> float:
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise TaskError(f"row {i}: {field} is {value!r}; it must be a number")
    return float(value)
