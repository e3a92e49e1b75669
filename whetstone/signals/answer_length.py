"""Longer is better: a baseline that knows nothing."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task
from whetstone.signals.values import known


@method("signal", checked="tests/signals/test_answer_length.py::test_counts_characters")
def answer_length(task: Task, example: Example, candidates: Sequence[Candidate]) -> Flow[list[Signal]]:
    """Number of characters: the naive baseline that any other signal must beat."""
    yield from ()
    return [known("answer_length", float(len(candidate.text))) for candidate in candidates]
