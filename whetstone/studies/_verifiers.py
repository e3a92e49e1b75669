"""Verifiers of samples: signals by threshold, judges by tournament."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from whetstone.core.flow import Flow
from whetstone.core.types import Signal, Task, Verdict
from whetstone.studies._graded import Graded


@dataclass(frozen=True, slots=True)
class Marks:
    """A verifier's values for the samples of one question; None where it abstained."""

    values: tuple[float | None, ...]
    probabilities: bool


def ask_signal(signal: Callable[..., Flow[list[Signal]]], task: Task, row: Graded) -> Flow[Marks]:
    """A signal's values."""
    signals = yield from signal(task, row.example, row.candidates)
    return Marks(tuple(s.value for s in signals), all(s.kind != "score" for s in signals))


def tournament(judge: Callable[..., Flow[Verdict]], task: Task, row: Graded, rounds: int) -> Flow[Marks]:
    """Single elimination: survivors get 1, the others 0.

    A tie or an unreadable verdict lets both through; without one readable verdict the judge has abstained.
    """
    survivors, readable = list(row.candidates), 0
    for _ in range(rounds):
        winners = survivors[len(survivors) // 2 * 2 :]
        for first, second in zip(survivors[::2], survivors[1::2], strict=False):
            verdict = yield from judge(task, row.example, first, second)
            readable += verdict.choice is not None
            winners += [c for c in (first, second) if verdict.choice == c.id] or [first, second]
        survivors = winners
    alive = {candidate.id for candidate in survivors}
    return Marks(tuple(float(c.id in alive) if readable else None for c in row.candidates), True)


def weights(marks: Sequence[Marks], threshold: float, quantile: float) -> list[list[float] | None]:
    """1 for each kept sample and 0 for the others; None for a question on which the verifier abstained throughout."""
    known = [value for mark in marks for value in mark.values if value is not None]
    if not known:
        return [None] * len(marks)
    bar = threshold if all(mark.probabilities for mark in marks) else float(np.quantile(known, quantile))
    return [
        [float(value is not None and value > bar) for value in mark.values]
        if any(value is not None for value in mark.values)
        else None
        for mark in marks
    ]
