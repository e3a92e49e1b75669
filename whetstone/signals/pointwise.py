"""A judge that gives one answer a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Generation, Sampling, Signal, Task
from whetstone.signals import forms
from whetstone.signals.parsing import alternatives, read_score, token_at
from whetstone.signals.values import each_text, mean_signal, or_unknown

TEMPLATES = {
    "score_only": forms.SCORE,
    "rate_explain": forms.SCORE_EXPLAINED,
    "analyze_rate": forms.SCORE_ANALYZED,
}
LOW, HIGH = 1, 10


@method("signal", checked="tests/signals/test_pointwise.py::test_reads_scores_and_weighs_them_by_probability")
def pointwise(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    style: Literal["score_only", "rate_explain", "analyze_rate"] = "score_only",
    samples: int = 1,
    temperature: float = 0.0,
    role: str = "judge",
) -> Flow[list[Signal]]:
    """Score from 1 to 10 that a judge gives the answer by itself.

    Args:
        style: what the judge writes besides the number, and whether before or after it.
        samples: ratings of each answer; the value is the mean over the readable ones.
        temperature: of the ratings; above 0 for several samples.
        role: who judges.

    Kind "score", n = readable ratings. Where the judge shows token probabilities a rating is the expected score over
    the numbers seen at its place. Source of the styles: "A Closer Look into Automatic Evaluation Using Large Language
    Models"; of the weighting: Liu et al., "G-Eval" (2023).
    """
    sampling = Sampling(temperature, max_tokens=max(256, task.sampling.max_tokens), logprobs=20)

    def ask(text: str) -> Flow[Signal]:
        prompt = forms.score(example.question, text, TEMPLATES[style])
        replies = yield from sample(prompt, n=samples, sampling=sampling, role=role)
        ratings = [rating for reply in replies if (rating := expected_score(reply)) is not None]
        return mean_signal("pointwise", ratings, "score", samples, style=style)

    return (yield from each_text(candidates, lambda text: or_unknown("pointwise", ask(text))))


def expected_score(reply: Generation) -> float | None:
    """The score, weighted by the probabilities of the numbers at its place where they are known; None if unreadable."""
    reading = read_score(reply.text, LOW, HIGH)
    if reading is None:
        return None
    token = token_at(reply, reading.start)
    if token is None or token.text.strip() != reading.value:
        return float(reading.value)
    seen = {
        int(text): p
        for text, p in alternatives(token).items()
        if text.isdecimal() and LOW <= int(text) <= HIGH and p > 0
    }
    return sum(number * p for number, p in seen.items()) / sum(seen.values()) if seen else float(reading.value)
