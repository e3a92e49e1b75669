"""Answer with demonstrations that the model writes for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Task, form, user
from whetstone.signals.values import unknown

WRITE = """Here is a question: {question}

Write {count} new questions of the same kind, each followed by {style}. Number them. Do not answer the \
question above."""

SHOW = """Here are worked examples:

{demonstrations}

"""

STYLES = {"vanilla": "its answer only", "rationale": "a step-by-step solution and its answer"}


@method(
    "strategy",
    papers=("Are Human-generated Demonstrations Necessary for In-context Learning?",),
    checked="tests/strategies/test_self_demonstration.py::test_helps_a_model_that_copies_its_examples",
)
def self_demonstration(
    task: Task,
    example: Example,
    *,
    count: int = 4,
    style: Literal["vanilla", "rationale"] = "rationale",
    max_tokens: int = 1024,
) -> Flow[Outcome]:
    """Let the model write its own demonstrations for the question, then answer with them in context.

    Args:
        count: demonstrations.
        style: "vanilla" (answers only) or "rationale" (solutions).
        max_tokens: length limit of the demonstrations.

    Both calls are greedy. The trail holds the demonstrations, then the answer. There is no confidence of its own.
    """
    sampling = replace(task.sampling, temperature=0.0, logprobs=2)
    prompt = user(form("demonstrate", WRITE, question=example.question, count=str(count), style=STYLES[style]))
    (shots,) = yield from sample(prompt, sampling=replace(sampling, max_tokens=max_tokens))
    if not shots.text.strip():
        return Outcome(None, unknown("self_demonstration", "the model wrote no demonstrations"))
    asked = user(form("demonstrated", SHOW, demonstrations=shots.text), *example.prompt[-1].parts)
    (reply,) = yield from sample(asked, sampling=sampling)
    trail = (Candidate("0", shots, "demonstrations"), Candidate("1", reply, "self_demonstration"))
    answer = task.read(example, reply.text)
    reason = "the answer is unreadable" if answer is None else "gives no confidence of its own"
    return Outcome(answer, unknown("self_demonstration", reason, n=1), trail, reply.text if answer is not None else "")
