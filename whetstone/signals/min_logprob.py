"""The least likely token."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method("signal", checked="tests/signals/test_min_logprob.py::test_finds_the_one_doubtful_token")
def min_logprob(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Log-probability of the answer's least likely token (nats): a chain is as sure as its weakest link.

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    Kind "score", n = tokens. Source: the minimum aggregation of "Soft Self-Consistency Improves Language Model Agents".
    """
    return (yield from per_token("min_logprob", example, candidates, lowest, rescore=rescore))


def lowest(tokens: Sequence[Token]) -> float:
    """The smallest log-probability."""
    return min(token.logprob for token in tokens)
