"""Consistency of open-ended answers, without a parser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import exp
from statistics import fmean

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Signal, Task
from whetstone.signals.values import known


@method(
    "signal",
    papers=("Self-consistency for open-ended generations",),
    checked="tests/signals/test_overlap.py::test_finds_the_planted_consensus_and_nothing_among_strangers",
)
def overlap(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    n_gram: int = 1,
    weighted: bool = False,
    consensus: bool = False,
) -> Flow[list[Signal]]:
    """Mean share of the vocabulary that an answer has in common with each of the others.

    Args:
        n_gram: longest sequence of tokens that counts as a unit; presence in an answer is 1 or 0.
        weighted: a unit counts with the mean probability of its tokens in the answer instead of 1.
        consensus: multiply by the answer's geometric mean token probability.

    The similarity of two answers is the dot product of their unit vectors over the number of units seen anywhere;
    longer answers are favoured. Kind "score", n = other answers. Texts are cut into words, with `weighted` into the
    model's tokens.
    """
    yield from ()
    if len(candidates) < 2:
        raise Abstain("needs at least two candidates")
    if (weighted or consensus) and any(not candidate.generation.tokens for candidate in candidates):
        raise Abstain("weights need token log-probabilities")
    vectors = [units(candidate, n_gram, weighted) for candidate in candidates]
    size = len(set().union(*vectors)) or 1
    signals = []
    for i, (candidate, mine) in enumerate(zip(candidates, vectors, strict=True)):
        others = [vector for j, vector in enumerate(vectors) if j != i]
        value = fmean(
            sum(mine[unit] * vector[unit] for unit in mine.keys() & vector.keys()) / size for vector in others
        )
        if consensus:
            value *= exp(fmean(token.logprob for token in candidate.generation.tokens or ()))
        signals.append(known("overlap", value, n=len(others)))
    return signals


def units(candidate: Candidate, n_gram: int, weighted: bool) -> dict[tuple[str, ...], float]:
    """The n-grams of an answer up to a length, each with its weight."""
    if weighted:
        tokens = [(token.text.strip(), exp(token.logprob)) for token in candidate.generation.tokens or ()]
    else:
        tokens = [(word, 1.0) for word in re.findall(r"\w+|[^\w\s]", candidate.text)]
    seen: dict[tuple[str, ...], list[float]] = {}
    for length in range(1, n_gram + 1):
        for start in range(len(tokens) - length + 1):
            words, weights = zip(*tokens[start : start + length], strict=True)
            seen.setdefault(words, []).append(fmean(weights))
    return {unit: fmean(weights) for unit, weights in seen.items()}
