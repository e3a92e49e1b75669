"""Stated confidence."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task
from whetstone.signals import forms
from whetstone.signals.parsing import read_confidence
from whetstone.signals.values import each_text, mean_signal, or_unknown


@method("signal", checked="tests/signals/test_verbalized.py::test_reads_the_planted_confidence")
def verbalized(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    samples: int = 1,
    temperature: float = 0.0,
    role: str = "policy",
) -> Flow[list[Signal]]:
    """Confidence that the model states when it sees the question and the proposed answer afresh.

    Args:
        samples: how often it is asked; the value is the mean of the readable replies.
        temperature: of those replies; above 0 for several samples.
        role: who is asked.

    Kind "probability", n = readable replies. Source: self-probing in "Can LLMs Express Their Uncertainty? An Empirical
    Evaluation of Confidence Elicitation in LLMs".
    """
    sampling = Sampling(temperature, max_tokens=max(64, task.sampling.max_tokens))

    def ask(text: str) -> Flow[Signal]:
        prompt = forms.about(example, forms.verbalized(example.question, text))
        replies = yield from sample(prompt, n=samples, sampling=sampling, role=role)
        stated = [value for reply in replies if (value := read_confidence(reply.text)) is not None]
        return mean_signal("verbalized", stated, "probability", samples)

    return (yield from each_text(candidates, lambda text: or_unknown("verbalized", ask(text), "probability")))
