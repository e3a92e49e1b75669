"""Let the model itself say which answer its samples agree on."""

from __future__ import annotations

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Sampling, Task, form, user
from whetstone.signals.values import known, unknown
from whetstone.strategies.drawing import draw

AGREE = """

Several solutions were written for this question:

{solutions}

Find the answer that most of the solutions agree on. Reply with that answer, in the form asked for."""


@method(
    "strategy",
    papers=("Ask One More Time: Self-Agreement Improves Reasoning of Language Models in (Almost) All Scenarios",),
    checked="tests/strategies/test_self_agreement.py::test_matches_the_majority_at_one_more_call",
)
def self_agreement(task: Task, example: Example, *, n: int = 8) -> Flow[Outcome]:
    """Sample `n` solutions, show them all to the model once more, and return the answer it finds most agreed on.

    Args:
        n: samples; the last call comes on top.

    The samples are never parsed, so free-form answers will do; the confidence is the share of samples whose readable
    answer is the one returned, and unknown when none can be read.
    """
    trail = yield from draw(task, example, n, source="self_agreement")
    listed = "\n\n".join(f"Solution {i + 1}: {candidate.text}" for i, candidate in enumerate(trail))
    prompt = user(*example.prompt[-1].parts, form("agree", AGREE, solutions=listed))
    (reply,) = yield from sample(prompt, sampling=Sampling(0.0, max_tokens=task.sampling.max_tokens))
    final = Candidate(str(n), reply, "self_agreement")
    answer = task.read(example, reply.text)
    trail += (final,)
    if answer is None:
        return Outcome(None, unknown("self_agreement", "the agreed answer is unreadable", "probability", n=n), trail)
    answers = [task.read(example, candidate.text) for candidate in trail[:-1]]
    if not any(answers):
        confidence = unknown("self_agreement", "no sample has a readable answer", "probability", n=n)
    else:
        confidence = known("self_agreement", answers.count(answer) / n, "probability", n=n)
    return Outcome(answer, confidence, trail, reply.text)
