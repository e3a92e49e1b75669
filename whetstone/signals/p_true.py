"""P(True): the model's own probability that an answer is right."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, score
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Prompt, Signal, Task
from whetstone.signals import forms
from whetstone.signals.values import each_text, known, or_unknown


@method(
    "signal",
    papers=("Language Models (Mostly) Know What They Know",),
    checked="tests/signals/test_p_true.py::test_finds_the_planted_belief_and_calls_a_coin_a_coin",
)
def p_true(
    task: Task, example: Example, candidates: Sequence[Candidate], *, role: str = "policy"
) -> Flow[list[Signal]]:
    """Probability of Y against N when the model is asked whether the proposed answer is right.

    Args:
        role: who is asked; the model that answered unless another one is given that role.

    Kind "probability", n = 1. The paper asks "(A) True (B) False" and normalises the two next-token probabilities in
    the same way; it finds zero-shot values badly calibrated.
    """

    def ask(text: str) -> Flow[Signal]:
        value = yield from yes_against_no(forms.about(example, forms.p_true(example.question, text)), role)
        return known("p_true", value, "probability", role=role)

    return (yield from each_text(candidates, lambda text: or_unknown("p_true", ask(text), "probability")))


def yes_against_no(prompt: Prompt, role: str) -> Flow[float]:
    """P(Y) / (P(Y) + P(N)) as the continuation of a prompt. Raises `Abstain` without log-probabilities."""
    replies = yield from score(prompt, "Y", "N", role=role)
    logprobs = [sum(token.logprob for token in reply.tokens) for reply in replies if reply.tokens]
    if len(logprobs) < 2:
        raise Abstain("this backend gives no log-probabilities of Y and N")
    return 1 / (1 + exp(min(logprobs[1] - logprobs[0], 700.0)))
