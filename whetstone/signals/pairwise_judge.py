"""A judge that compares two answers, shown in both orders."""

from __future__ import annotations

from typing import Literal

from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict
from whetstone.signals import forms
from whetstone.signals.orders import ask_once, in_both_orders
from whetstone.signals.review import write_reviews

TEMPLATES = {"verdict_last": forms.COMPARE, "verdict_first": forms.COMPARE_VERDICT_FIRST}


@method("judge", checked="tests/signals/test_pairwise_judge.py::test_finds_the_better_answer_behind_a_position_bias")
def pairwise_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    critiques: bool = False,
    style: Literal["verdict_last", "verdict_first"] = "verdict_last",
    combine: Literal["agree", "average"] = "agree",
    temperature: float = 0.0,
    max_tokens: int = 0,
) -> Flow[Verdict]:
    """Compare two answers in both orders; what depends on the order does not count.

    Args:
        critiques: let the critic write a critique of each answer first, and show them to the judge.
        style: whether the judge explains itself before or after the verdict; critiques come before in any case.
        combine: "agree" chooses what both orders chose, else a tie; "average" averages their probabilities.
        temperature: of the judge's replies.
        max_tokens: length limit of the judge's replies and of the critiques; 0 is three times the task's.

    Returns:
        The combined verdict with both single-order verdicts in `orders`. Equal texts tie without being asked. If a
        reply is unreadable there is no choice, and `reason` says so. `probs` are the judge's where it shows them.
    """
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    notes = {first.id: "", second.id: ""}
    if critiques:
        asked = [write_reviews(task, example, c.text, max_tokens=max_tokens) for c in (first, second)]
        notes = dict(zip(notes, [review.text for (review,) in (yield from gather(asked))], strict=True))
    sampling = Sampling(temperature, max_tokens=max_tokens or 3 * task.sampling.max_tokens, logprobs=5)

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        prompt = (
            forms.compare_critiqued(example.question, a.text, notes[a.id], b.text, notes[b.id])
            if critiques
            else forms.compare(example.question, a.text, b.text, TEMPLATES[style])
        )
        return (yield from ask_once(forms.about(example, prompt), a, b, sampling))

    return (yield from in_both_orders(first, second, ask, combine))
