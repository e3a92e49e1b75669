"""One answer, the likeliest token at every step."""

from __future__ import annotations

from whetstone.core.flow import Flow
from whetstone.core.registry import load, method
from whetstone.core.types import Example, Outcome, Task
from whetstone.signals.values import unknown
from whetstone.strategies.drawing import draw


@method("strategy", checked="tests/strategies/test_greedy.py::test_gives_the_likeliest_answer")
def greedy(task: Task, example: Example, *, signal: str = "mean_logprob") -> Flow[Outcome]:
    """Answer once at temperature 0.

    Args:
        signal: name of the signal that gives the confidence.
    """
    trail = yield from draw(task, example, 1, source="greedy", greedy=True)
    answer = task.read(example, trail[0].text)
    if answer is None:
        return Outcome(None, unknown("greedy", "the answer is unreadable", n=1), trail)
    (confidence,) = yield from load(signal, "signal")(task, example, trail)
    return Outcome(answer, confidence, trail, trail[0].text)
