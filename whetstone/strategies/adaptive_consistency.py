"""Self-consistency that stops as soon as the majority is safe."""

from __future__ import annotations

from collections import Counter
from math import comb

from whetstone.core.errors import BudgetExceeded
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Task
from whetstone.strategies.drawing import draw
from whetstone.strategies.voting import voted


@method(
    "strategy", checked="tests/strategies/test_adaptive_consistency.py::test_stops_by_the_rule_and_keeps_the_answer"
)
def adaptive_consistency(
    task: Task, example: Example, *, most: int = 40, step: int = 1, threshold: float = 0.95
) -> Flow[Outcome]:
    """Draw answers until the leading one is the majority with probability `threshold`, then vote over all drawn.

    Args:
        most: samples at most.
        step: samples between two looks.
        threshold: of `majority_probability`.

    The confidence is the winner's share; stopping early makes it optimistic, so the provenance says why it stopped.
    Source: Aggarwal et al., "Let's Sample Step by Step: Adaptive-Consistency" (2023), the Beta criterion.
    """
    trail: tuple[Candidate, ...] = ()
    stopped = "most"
    while len(trail) < most:
        try:
            count = min(step, most - len(trail))
            trail += yield from draw(task, example, count, source="adaptive_consistency", start=len(trail))
        except BudgetExceeded:
            if not trail:
                raise
            stopped = "budget"
            break
        counts = Counter(answer for c in trail if (answer := task.read(example, c.text)) is not None)
        leaders = [count for _, count in counts.most_common(2)]
        if leaders and majority_probability(leaders[0], leaders[1] if len(leaders) > 1 else 0) >= threshold:
            stopped = "threshold"
            break
    return voted("adaptive_consistency", task, example, trail, stopped=stopped)


def majority_probability(first: int, second: int) -> float:
    """P(X > 1/2) for X ~ Beta(first + 1, second + 1), exactly: that the leading answer beats its strongest rival."""
    n = first + second + 1
    return sum(comb(n, k) for k in range(first + 1)) / (1 << n)
