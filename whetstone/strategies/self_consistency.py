"""Majority vote over samples."""

from __future__ import annotations

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Example, Outcome, Task
from whetstone.strategies.drawing import draw
from whetstone.strategies.voting import voted


@method(
    "strategy",
    papers=("Self-Consistency Improves Chain of Thought Reasoning in Language Models",),
    checked="tests/strategies/test_self_consistency.py::test_wins_what_the_binomial_law_says",
)
def self_consistency(task: Task, example: Example, *, n: int = 16) -> Flow[Outcome]:
    """Sample `n` solutions and return the most frequent final answer.

    Args:
        n: samples.

    The confidence is the winner's share of all samples; of equally frequent answers the first one seen wins.
    """
    trail = yield from draw(task, example, n, source="self_consistency")
    return voted("self_consistency", task, example, trail)
