"""A judge of judgements: it reads what several judgements say and decides anew."""

from __future__ import annotations

from whetstone.core.flow import Flow, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders

DECIDE = f"""{forms.PAIR}\
Several judges compared the solutions:

{{judgements}}

Judge the judgements: which of them rest on what can be checked, and which are mistaken, biased or unfounded? Do not \
count votes. Then decide for yourself. End with one line, "Verdict: A", "Verdict: B", or "Verdict: E" if they are \
equally good."""


@method("judge", checked="tests/signals/test_meta_judge.py::test_sees_through_a_majority_of_unfounded_judgements")
def meta_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    judgements: int = 3,
    temperature: float = 1.0,
    combine: Combine = "agree",
    max_tokens: int = 512,
    role: str = "meta_judge",
) -> Flow[Verdict]:
    """Sample several judgements of a pair, and let a meta-judge weigh their reasons, in both orders.

    Args:
        judgements: how many in each order.
        temperature: of the judgements; the meta-judge is greedy.
        combine: of the two orders.
        max_tokens: length limit of a judgement and of the verdict.
        role: which model is the meta-judge. A role that no model was given is the policy's.

    Returns:
        The combined verdict of the meta-judge.
    """
    sampling = Sampling(temperature, max_tokens=max_tokens)
    deciding = Sampling(0.0, max_tokens=max_tokens, logprobs=5)

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        opening = forms.about(example, forms.compare(example.question, a.text, b.text))
        replies = yield from sample(opening, n=judgements, sampling=sampling, role="judge")
        said = "\n\n".join(f"[Judgement {i}]\n{reply.text.strip()}" for i, reply in enumerate(replies, 1))
        fields = {"first": a.text, "second": b.text, "judgements": said}
        prompt = forms.about(example, user(form("compare_judged", DECIDE, question=example.question, **fields)))
        return (yield from ask_once(prompt, a, b, deciding, role))

    return (yield from in_both_orders(first, second, ask, combine))
