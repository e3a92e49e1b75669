"""Sequence log-probability."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method("signal", checked="tests/signals/test_sum_logprob.py::test_finds_the_likelier_answer")
def sum_logprob(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Log-probability of the whole answer (nats); favours short answers.

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    Kind "score", n = tokens. Source: the self-reward log pi(y | x) of "Self-Improvement in Language Models: The
    Sharpening Mechanism".
    """
    return (yield from per_token("sum_logprob", example, candidates, total, rescore=rescore))


def total(tokens: Sequence[Token]) -> float:
    """The sum of the log-probabilities."""
    return fsum(token.logprob for token in tokens)
