"""Answer the question as a multiple choice among its own samples, and know when to keep silent."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from string import ascii_uppercase
from typing import Literal

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, score
from whetstone.core.registry import load, method
from whetstone.core.types import Candidate, Example, Outcome, Signal, Task, form, user
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw

SELECT = """Question: {question}

Possible answers:
{choices}

Which one is right? Reply with its letter."""


@method(
    "strategy",
    papers=("Self-Evaluation Improves Selective Generation in Large Language Models",),
    checked="tests/strategies/test_selective_generation.py::test_scores_are_the_hand_computed_ones_and_silence_pays",
)
def selective_generation(
    task: Task,
    example: Example,
    *,
    n: int = 4,
    rule: Literal["select", "eval", "hybrid"] = "hybrid",
    none_of_above: bool = True,
    threshold: float | None = None,
) -> Flow[Outcome]:
    """Sample answers, let the model select or evaluate them, and abstain below a threshold.

    Args:
        n: samples; equal texts are shown once.
        rule: "select" reads the probability of each letter in one multiple choice; "eval" takes the answer with the
            highest P(Y) when each is asked about by itself; "hybrid" selects, then trusts P(Y) of the selection.
        none_of_above: show one more letter, "none of the above", which is never selected; its probability lowers the
            confidence (for "select" it alone is the confidence, negated).
        threshold: abstain below this confidence; None always answers.

    The confidence is of kind "score": a letter's log-probability, a probability, or a difference of the two.
    """
    trail = yield from draw(task, example, n, source="selective_generation")
    distinct: dict[str, Candidate] = {}
    for candidate in trail:
        if task.read(example, candidate.text) is not None:
            distinct.setdefault(candidate.text, candidate)
    shown = list(distinct.values())
    if not shown:
        return Outcome(None, unknown("selective_generation", "no candidate has a readable answer", n=n), trail)
    none = 0.0
    letters: list[float] = []
    if rule != "eval":
        letters, none = yield from select(example, shown, none_of_above)
    chosen = letters.index(max(letters)) if letters else 0
    if rule == "select":
        value = -none if none_of_above else letters[chosen]
    else:
        beliefs: Sequence[Signal] = yield from load("p_true", "signal")(task, example, shown)
        values = [belief.value for belief in beliefs]
        if None in values:
            raise Abstain(beliefs[values.index(None)].abstained or "")
        if rule == "eval":
            chosen = values.index(max(v for v in values if v is not None))
        value = (values[chosen] or 0.0) - none
    winner = shown[chosen]
    if threshold is not None and value < threshold:
        reason = f"confidence {value:.3g} is below {threshold:g}"
        return Outcome(None, unknown("selective_generation", reason, n=len(shown)), trail, winner.text)
    confidence = known("selective_generation", value, n=len(shown), rule=rule)
    return Outcome(task.read(example, winner.text), confidence, trail, winner.text)


def select(example: Example, shown: Sequence[Candidate], none_of_above: bool) -> Flow[tuple[list[float], float]]:
    """Log-probability of each candidate's letter, and the probability of "none of the above" among all letters."""
    texts = [candidate.text for candidate in shown] + ["None of the above"] * none_of_above
    if len(texts) > len(ascii_uppercase):
        raise Abstain("a multiple choice has at most 26 answers")
    names = ascii_uppercase[: len(texts)]
    choices = "\n".join(f"({name}) {text}" for name, text in zip(names, texts, strict=True))
    prompt = user(form("select", SELECT, question=example.question, choices=choices))
    replies = yield from score(prompt, *names)
    logprobs = [sum(token.logprob for token in reply.tokens) for reply in replies if reply.tokens]
    if len(logprobs) < len(names):
        raise Abstain("this backend gives no log-probabilities of letters")
    top = max(logprobs)
    total = top + log(sum(exp(value - top) for value in logprobs))
    return logprobs[: len(shown)], exp(logprobs[-1] - total) if none_of_above else 0.0
