"""Pick by token probabilities instead of votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from statistics import fmean
from typing import Literal

from whetstone.core.errors import BudgetExceeded
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Task, Token
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw

SCORES: dict[str, Callable[[Sequence[Token]], float]] = {
    "mean": lambda tokens: fmean(exp(token.logprob) for token in tokens),
    "min": lambda tokens: exp(min(token.logprob for token in tokens)),
    "product": lambda tokens: exp(fmean(token.logprob for token in tokens)),
}


@method(
    "strategy",
    papers=("Soft Self-Consistency Improves Language Model Agents",),
    presets={
        "adaptive": ("Soft Self-Consistency Improves Language Model Agents", {"enough": 0.8, "n": 10}),
    },
    checked="tests/strategies/test_soft_self_consistency.py::test_beats_the_vote_where_many_answers_are_valid",
)
def soft_self_consistency(
    task: Task,
    example: Example,
    *,
    n: int = 20,
    score: Literal["mean", "min", "product"] = "mean",
    enough: float = 0.0,
) -> Flow[Outcome]:
    """Sample solutions and return the one whose token probabilities are highest.

    Args:
        n: samples at most.
        score: mean or minimum of the token probabilities, or their length-normalised product.
        enough: above 0, draw one at a time and stop when the minimum probabilities of all drawn sum to this.

    Unreadable answers and answers without token probabilities do not take part. Kind of the confidence: "probability".
    """
    trail: tuple[Candidate, ...] = ()
    total, stopped = 0.0, "n"
    while len(trail) < n:
        try:
            fresh = yield from draw(task, example, 1 if enough else n, source="soft_self_consistency", start=len(trail))
        except BudgetExceeded:
            if not trail:
                raise
            stopped = "budget"
            break
        trail += fresh
        total += sum(SCORES["min"](c.generation.tokens) for c in fresh if c.generation.tokens)
        if enough and total >= enough:
            stopped = "enough"
            break
    scored = [
        (SCORES[score](c.generation.tokens), c)
        for c in trail
        if c.generation.tokens and task.read(example, c.text) is not None
    ]
    if not scored:
        reason = "no readable answer with token probabilities"
        return Outcome(None, unknown("soft_self_consistency", reason, "probability", n=len(trail)), trail)
    value, chosen = max(scored, key=lambda pair: pair[0])
    confidence = known("soft_self_consistency", value, "probability", n=len(trail), stopped=stopped)
    return Outcome(task.read(example, chosen.text), confidence, trail, chosen.text)
