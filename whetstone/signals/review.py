"""One critique of one solution: its text, its verdict, and how sure the critic was of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from whetstone.core.flow import Flow, sample
from whetstone.core.types import Example, Generation, Sampling, Task
from whetstone.signals import forms
from whetstone.signals.parsing import alternatives, read_correctness, tag_positions, token_at


@dataclass(frozen=True, slots=True)
class Review:
    """A critique.

    Attributes:
        text: as the critic wrote it.
        right: its verdict; None if unreadable.
        probability: that the solution is right, from the critic's token probabilities; 1 or 0 where there are none;
            None if unreadable.
    """

    text: str
    right: bool | None
    probability: float | None


def write_reviews(
    task: Task, example: Example, answer: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 0
) -> Flow[list[Review]]:
    """Ask the critic for `n` critiques of a solution.

    Args:
        task: gives the length limit: a critique may be three times as long as a solution.
        example: the question that the solution answers; the critic sees its images and hears its sounds.
        answer: the full solution.
        n: how many critiques.
        temperature: 0 writes the likeliest one.
        max_tokens: length limit; 0 takes the task's.
    """
    limit = max_tokens or 3 * task.sampling.max_tokens
    sampling = Sampling(temperature, max_tokens=limit, logprobs=5)
    prompt = forms.about(example, forms.critique(example.question, answer))
    replies = yield from sample(prompt, n=n, sampling=sampling, role="critic")
    return [read_review(reply) for reply in replies]


def read_review(reply: Generation) -> Review:
    """Read a critique's verdict and its probability.

    The probability multiplies P(agrees) over the step tags of tag notation and the closing letter; in plain text the
    verdict's letter stands alone. P(yes) at a token is read from its alternatives; if only the opposite is seen there,
    it is one minus that, as in "When To Solve, When To Verify" (2025).
    """
    reading = read_correctness(reply.text)
    if reading is None:
        return Review(reply.text, None, None)
    right = reading.value == "Y"
    places = tag_positions(reply.text) or [reading.start]
    favours = [favour(reply, place) for place in places]
    seen = [favour for favour in favours if favour is not None]
    return Review(reply.text, right, math.prod(seen) if len(seen) == len(favours) else float(right))


def favour(reply: Generation, place: int) -> float | None:
    """P(agrees) against P(differs) at one tag or letter."""
    token = token_at(reply, place)
    if token is None:
        return None
    yes, no = (":", ";") if reply.text[place] in ":;" else ("Y", "N")
    seen = alternatives(token)
    if yes in seen:
        return min(seen[yes], 1.0)
    return max(1 - seen[no], 0.0) if no in seen else None
