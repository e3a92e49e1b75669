"""Schedules of comparisons on one question, decided by a judge that is a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from whetstone.core.flow import Flow, gather
from whetstone.core.types import TIE, Candidate, Verdict
from whetstone.ranking.schedules.schedule import Schedule

Row = tuple[int, int, int | None]
"""Codes of the two as shown, and the outcome: 1 the first won, -1 the second, 0 a tie, None unreadable."""


def judged(
    candidates: Sequence[Candidate], schedule: Schedule[Any], judge: Callable[[Candidate, Candidate], Flow[Verdict]]
) -> Flow[list[Row]]:
    """Play a schedule of pairs between candidates (one a system, in the order of the codes) under a judge.

    The schedule takes an unreadable verdict for a tie, so that it can go on.
    """
    rows: list[Row] = []
    try:
        batch = next(schedule)
        while True:
            pairs = [(int(a), int(b)) for a, b in batch.systems]
            verdicts = yield from gather(judge(candidates[a], candidates[b]) for a, b in pairs)
            outcomes = [_outcome(verdict, candidates[a].id) for verdict, (a, _) in zip(verdicts, pairs, strict=True)]
            rows += [(a, b, outcome) for (a, b), outcome in zip(pairs, outcomes, strict=True)]
            known = np.array([outcome or 0 for outcome in outcomes], dtype=np.intp)
            batch = schedule.send(np.stack([-known, known], axis=1))
    except StopIteration:
        return rows


def _outcome(verdict: Verdict, first: str) -> int | None:
    if verdict.choice is None:
        return None
    return 0 if verdict.choice == TIE else (1 if verdict.choice == first else -1)
