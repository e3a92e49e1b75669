"""Statistics of a candidate's own tokens, taken from its generation or scored anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, score
from whetstone.core.types import Candidate, Example, Signal, Token
from whetstone.signals.values import each_text, known, unknown

Statistic = Callable[[Sequence[Token]], float]


def per_token(
    method: str, example: Example, candidates: Sequence[Candidate], statistic: Statistic, *, rescore: bool
) -> Flow[list[Signal]]:
    """One value for each candidate from its tokens.

    Args:
        method: name of the signal.
        example: the question, needed for scoring.
        candidates: their generations' tokens are used where they are known.
        statistic: of one or more tokens; raises `Abstain` when a token lacks what it needs.
        rescore: ask for the log-probabilities of texts without tokens instead of abstaining.

    Returns:
        Signals of kind "score" with n = number of tokens.
    """
    scored: dict[str, Sequence[Token] | None] = {}
    bare = [c for c in candidates if c.generation.tokens is None and c.text]
    if rescore and bare:
        tokens = yield from each_text(bare, lambda text: score_text(example, text))
        scored = {candidate.text: found for candidate, found in zip(bare, tokens, strict=True)}
    return [
        measure(method, c.generation.tokens if c.generation.tokens is not None else scored.get(c.text), statistic)
        for c in candidates
    ]


def score_text(example: Example, text: str) -> Flow[Sequence[Token] | None]:
    """The tokens of a text as an answer to the question, with their log-probabilities."""
    (reply,) = yield from score(example.prompt, text)
    return reply.tokens


def measure(method: str, tokens: Sequence[Token] | None, statistic: Statistic) -> Signal:
    """A statistic as a signal, or why there is none."""
    if tokens is None:
        return unknown(method, "the generation has no token log-probabilities")
    if not tokens:
        return unknown(method, "the generation is empty")
    try:
        return known(method, statistic(tokens), n=len(tokens))
    except Abstain as reason:
        return unknown(method, str(reason))
