"""Generative verification: check the solution in writing, then give a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Json, Signal, Task
from whetstone.signals.review import write_reviews
from whetstone.signals.values import each_text, mean_signal, or_unknown


@method("signal", checked="tests/signals/test_critique.py::test_finds_the_planted_errors_and_clears_the_rest")
def critique(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 0,
) -> Flow[list[Signal]]:
    """Probability that the solution is right, from the verdicts of step-by-step critiques of it.

    Args:
        samples: critiques of each solution; the value is the mean over the readable ones.
        temperature: of the critiques; above 0 for several samples.
        max_tokens: length limit of a critique; 0 is three times the task's.

    Kind "probability", n = readable critiques; provenance has the words of all. Where the critic shows token
    probabilities a critique counts with the probability of its verdict (and, in tag notation, of every step's tag),
    else with 1 or 0. Source: the verification score of "When To Solve, When To Verify" (2025).
    """

    def ask(text: str) -> Flow[Signal]:
        reviews = yield from write_reviews(
            task, example, text, n=samples, temperature=temperature, max_tokens=max_tokens
        )
        values = [review.probability for review in reviews if review.probability is not None]
        told: dict[str, Json] = {"verdicts": [r.right for r in reviews], "words": [r.text for r in reviews]}
        return mean_signal("critique", values, "probability", samples, **told)

    return (yield from each_text(candidates, lambda text: or_unknown("critique", ask(text), "probability")))
