"""Disagreement among samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task
from whetstone.signals.values import known


@method("signal", checked="tests/signals/test_answer_entropy.py::test_is_the_entropy_of_the_planted_answers")
def answer_entropy(task: Task, example: Example, candidates: Sequence[Candidate]) -> Flow[list[Signal]]:
    """Minus the entropy of the final answers (nats), so that higher is surer; the same for every candidate.

    Kind "score", n = readable answers; unreadable ones are left out and counted. The plug-in estimate over exact
    answers: semantic entropy with equality of answers as the meaning.
    """
    yield from ()
    answers = [task.read(example, candidate.text) for candidate in candidates]
    counts = Counter(answer for answer in answers if answer is not None)
    n = counts.total()
    if not n:
        raise Abstain("no candidate has a readable answer")
    value = sum(count / n * log(count / n) for count in counts.values())
    return [known("answer_entropy", value, n=n, unreadable=len(answers) - n)] * len(answers)
