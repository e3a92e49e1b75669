"""A judge that gives one answer a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Generation, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import alternatives, read_score, token_at
from whetstone.signals.values import each_text, mean_signal, or_unknown

TEMPLATES = {
    "score_only": forms.SCORE,
    "free": forms.SCORE_FREE,
    "rate_explain": forms.SCORE_EXPLAINED,
    "analyze_rate": forms.SCORE_ANALYZED,
}
SCALES = {
    "binary": (0, 1, "of 0 (not good enough) or 1 (good)"),
    "likert": (1, 5, "from 1 (useless) to 5 (perfect)"),
    "ten": (1, 10, forms.TEN),
    "hundred": (0, 100, "from 0 (useless) to 100 (perfect)"),
}
STEPS = """Question: {question}

Answers to this question will be rated for how good they are. Write 3 to 5 numbered steps that a rater should take. Do \
not answer the question."""


@method("signal", checked="tests/signals/test_pointwise.py::test_reads_scores_and_weighs_them_by_probability")
def pointwise(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    style: Literal["score_only", "free", "rate_explain", "analyze_rate"] = "score_only",
    scale: Literal["binary", "likert", "ten", "hundred"] = "ten",
    steps: bool = False,
    samples: int = 1,
    temperature: float = 0.0,
    role: str = "judge",
) -> Flow[list[Signal]]:
    """Score that a judge gives the answer by itself, from 1 to 10 or on another scale.

    Args:
        style: what the judge writes besides the number, and whether before or after it; "free" leaves it to the judge.
        scale: 0 or 1, 1 to 5, 1 to 10 or 0 to 100.
        steps: let the judge write the steps of its evaluation first (auto-CoT), once for all answers.
        samples: ratings of each answer; the value is the mean over the readable ones.
        temperature: of the ratings; above 0 for several samples.
        role: who judges.

    Kind "score", n = readable ratings. Where the judge shows token probabilities a rating is the expected score over
    the numbers seen at its place. Source of styles and steps: "A Closer Look into Automatic Evaluation Using Large
    Language Models"; of the weighting: Liu et al., "G-Eval" (2023).
    """
    sampling = Sampling(temperature, max_tokens=max(256, task.sampling.max_tokens), logprobs=20)
    low, high, words = SCALES[scale]
    template, plan = TEMPLATES[style].replace(forms.TEN, words), {}
    if steps:
        asked = forms.about(example, user(form("evaluation_steps", STEPS, question=example.question)))
        (written,) = yield from sample(asked, sampling=replace(sampling, temperature=0.0, logprobs=None), role=role)
        template, plan = f"{template}\n\nTake these steps:\n{{steps}}", {"steps": written.text.strip()}

    def ask(text: str) -> Flow[Signal]:
        prompt = forms.score(example.question, text, template, **plan)
        replies = yield from sample(forms.about(example, prompt), n=samples, sampling=sampling, role=role)
        ratings = [rating for reply in replies if (rating := expected_score(reply, low, high)) is not None]
        return mean_signal("pointwise", ratings, "score", samples, style=style, scale=scale)

    return (yield from each_text(candidates, lambda text: or_unknown("pointwise", ask(text))))


def expected_score(reply: Generation, low: int = 1, high: int = 10) -> float | None:
    """The score, weighted by the probabilities of the numbers at its place where they are known; None if unreadable."""
    reading = read_score(reply.text, low, high)
    if reading is None:
        return None
    token = token_at(reply, reading.start)
    if token is None or token.text.strip() != reading.value:
        return float(reading.value)
    numbers = {str(number): number for number in range(low, high + 1)}
    seen = {numbers[text]: p for text, p in alternatives(token).items() if text in numbers and p > 0}
    return sum(number * p for number, p in seen.items()) / sum(seen.values()) if seen else float(reading.value)
