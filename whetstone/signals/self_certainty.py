"""Distance of the next-token distributions from uniform."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method(
    "signal",
    papers=("Scalable Best-of-N Selection for Large Language Models via Self-Certainty",),
    checked="tests/signals/test_self_certainty.py::test_matches_the_formula_and_finds_the_peaked_answer",
)
def self_certainty(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Mean divergence KL(uniform || next-token distribution) over the answer's tokens (nats, never negative).

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    For a vocabulary of V the divergence at one place is -(1/V) sum_j log p(j) - log V. Kind "score", n = tokens; needs
    the whole vocabulary, since the tail dominates the sum.
    """
    return (yield from per_token("self_certainty", example, candidates, certainty, rescore=rescore))


def certainty(tokens: Sequence[Token]) -> float:
    """The mean of the tokens' divergences."""
    found = [token.certainty for token in tokens if token.certainty is not None]
    if len(found) < len(tokens):
        raise Abstain("needs log-probabilities of the whole vocabulary, which this backend does not see")
    return fmean(found)
