"""Verdicts as rows of a file (`verdicts.jsonl`) made into columns.

A row is one time that a judge was asked about two answers:

    verdict                      "first", "second", "tie", a number from 0 to 1 (probability of the first), or null
    label                        the same, by people or a verifier; may be absent
    probability                  that the first is better, stated beside a verdict in words
    prompt                       what was asked: the cluster of intervals
    first, second                who wrote the answers, as shown
    first_length, second_length  in any one unit
    pair, swapped                by default told from prompt, first and second: the first row of a pair has its order
    judge                        who judged; each judge gets columns of its own
    category                     kind of question: language, level, bias ...; for gaps between groups

Only `verdict` is needed; each further field allows more audits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whetstone.audits.recorded import Verdicts
from whetstone.audits.verdict_columns import KNOWN, Encoder, judged
from whetstone.core.errors import TaskError


def verdicts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Verdicts]:
    """Columns of each judge's verdicts; rows without a judge are one judge's, named "judge".

    Raises TaskError that names the row (from 1) and the field.
    """
    encoder = Encoder()
    for i, row in enumerate(rows, 1):
        if "verdict" not in row:
            raise TaskError(f"row {i}: no verdict; it can be {KNOWN}")
        encoder.add(row)
    return {name: one.verdicts for name, one in judged(encoder.columns()).items()}
