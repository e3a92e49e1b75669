"""How spread the next-token distributions were."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task, Token
from whetstone.signals.tokens import per_token


@method("signal", checked="tests/signals/test_entropy.py::test_finds_the_peaked_answer")
def entropy(
    task: Task, example: Example, candidates: Sequence[Candidate], *, rescore: bool = False
) -> Flow[list[Signal]]:
    """Minus the mean entropy of the next-token distributions (nats), so that higher is surer.

    Args:
        rescore: score texts that come without log-probabilities (answers from a file) instead of abstaining.

    Kind "score", n = tokens; needs the whole vocabulary. Source: the feature Softmax-Ent of "Self-Evaluation of Large
    Language Model based on Glass-box Features".
    """
    return (yield from per_token("entropy", example, candidates, peakedness, rescore=rescore))


def peakedness(tokens: Sequence[Token]) -> float:
    """Minus the mean entropy."""
    found = [token.entropy for token in tokens if token.entropy is not None]
    if len(found) < len(tokens):
        raise Abstain("needs the entropy over the whole vocabulary, which this backend does not see")
    return -fmean(found)
