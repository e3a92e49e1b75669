"""Agreement among samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task
from whetstone.signals.values import known, unknown
from whetstone.stats import wilson


@method("signal", checked="tests/signals/test_vote_share.py::test_is_the_planted_share")
def vote_share(task: Task, example: Example, candidates: Sequence[Candidate]) -> Flow[list[Signal]]:
    """Share of the candidates that give the same final answer; an unreadable answer abstains but is counted.

    Kind "probability", n = candidates, with Wilson's interval. Source: the agreement measure of "Self-Consistency
    Improves Chain of Thought Reasoning in Language Models".
    """
    yield from ()
    answers = [task.read(example, candidate.text) for candidate in candidates]
    counts = Counter(answer for answer in answers if answer is not None)
    n = len(answers)
    return [
        unknown("vote_share", "the answer is unreadable", "probability", n=n)
        if answer is None
        else known("vote_share", counts[answer] / n, "probability", n=n, interval=wilson(counts[answer], n).interval)
        for answer in answers
    ]
