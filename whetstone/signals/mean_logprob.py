"""Length-normalised log-probability."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method("signal", checked="tests/signals/test_mean_logprob.py::test_finds_the_surer_answer")
def mean_logprob(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Mean log-probability of the answer's tokens (nats; the log of their geometric mean probability).

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    Kind "score", n = tokens. Source: the length-normalised likelihood baseline of "Self-Evaluation Improves Selective
    Generation in Large Language Models".
    """
    return (yield from per_token("mean_logprob", example, candidates, average, rescore=rescore))


def average(tokens: Sequence[Token]) -> float:
    """The mean of the log-probabilities."""
    return fmean(token.logprob for token in tokens)
