"""A score from 1 to 10 by a judge that has a checklist before it."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.checklist import items_for
from whetstone.signals.parsing import read_score
from whetstone.signals.values import each_text, mean_signal, or_unknown

SCORE = """Question: {question}

Answer: {answer}

Let this checklist guide you:
{checklist}

First say what is strong and weak in the answer. Then end with one line, "Score: " and a whole number from 1 (useless) \
to 10 (perfect)."""


@method(
    "signal",
    papers=("WildBench: Benchmarking LLMs with Challenging Tasks from Real Users in the Wild",),
    checked="tests/signals/test_checklist_score.py::test_rescales_the_planted_scores",
)
def checklist_score(
    task: Task, example: Example, candidates: Sequence[Candidate], *, most: int = 10, max_tokens: int = 1024
) -> Flow[list[Signal]]:
    """Score that a judge gives with a checklist as its guide, rescaled to (score - 5) * 2.

    Args:
        most: items of the checklist at most; it is the example's own, or written by the judge.
        max_tokens: length limit of the checklist and of each rating.

    Kind "score", from -8 to 10, n = 1; the items guide the rating and are not scored one by one.
    """
    sampling = Sampling(0.0, max_tokens=max_tokens)
    items = yield from items_for(example, most=most, sampling=sampling)
    guide = "\n".join(f"- {item}" for item in items)

    def ask(text: str) -> Flow[Signal]:
        prompt = user(form("score_guided", SCORE, question=example.question, answer=text, checklist=guide))
        (reply,) = yield from sample(forms.about(example, prompt), sampling=sampling, role="judge")
        reading = read_score(reply.text)
        return mean_signal("checklist_score", [(float(reading.value) - 5) * 2] if reading else [], "score", 1)

    return (yield from each_text(candidates, lambda text: or_unknown("checklist_score", ask(text))))
