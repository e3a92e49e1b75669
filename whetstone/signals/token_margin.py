"""How far the likeliest token was ahead."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from statistics import fmean

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method("signal", checked="tests/signals/test_token_margin.py::test_finds_the_answer_without_rivals")
def token_margin(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Mean gap between the probabilities of the two likeliest tokens at each place, 0 to 1.

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    Kind "score", n = tokens; needs two alternatives a token. Source: the probability disparity of Wang and Zhou,
    "Chain-of-Thought Reasoning without Prompting" (2024), over all tokens.
    """
    return (yield from per_token("token_margin", example, candidates, margin, rescore=rescore))


def margin(tokens: Sequence[Token]) -> float:
    """The mean of best minus second best probability."""
    if any(len(token.top) < 2 for token in tokens):
        raise Abstain("needs the two likeliest alternatives of every token")
    return fmean(exp(token.top[0][1]) - exp(token.top[1][1]) for token in tokens)
