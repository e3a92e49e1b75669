"""Drawing candidates for a question."""

from __future__ import annotations

from dataclasses import replace

from whetstone.core.flow import Flow, sample
from whetstone.core.types import Candidate, Example, Task


def draw(
    task: Task, example: Example, n: int, *, source: str, start: int = 0, greedy: bool = False, logprobs: int = 2
) -> Flow[tuple[Candidate, ...]]:
    """Sample `n` answers with the task's settings.

    Args:
        task: gives the sampling settings.
        example: gives the prompt.
        n: how many.
        source: name of the strategy that draws.
        start: number of the first candidate, which becomes its id.
        greedy: temperature 0.
        logprobs: alternatives a token that signals may need.
    """
    sampling = replace(task.sampling, logprobs=logprobs)
    if greedy:
        sampling = replace(sampling, temperature=0.0)
    replies = yield from sample(example.prompt, n=n, sampling=sampling)
    return tuple(Candidate(str(start + i), reply, source) for i, reply in enumerate(replies))
