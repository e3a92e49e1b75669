"""A judge that first compares each answer with a crowd of other answers, and reads what came to light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict
from whetstone.signals import forms
from whetstone.signals.orders import Combine, ask_once, in_both_orders
from whetstone.signals.parsing import read_comparison


@method(
    "judge",
    papers=("Crowd Comparative Reasoning: Unlocking Comprehensive Evaluations for LLM-as-a-Judge",),
    checked="tests/signals/test_crowd_judge.py::test_sees_the_planted_defect_that_only_a_comparison_shows",
)
def crowd_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    crowd: int = 4,
    keep: int = 2,
    temperature: float = 1.0,
    combine: Combine = "agree",
    max_tokens: int = 0,
) -> Flow[Verdict]:
    """Compare two answers with the judgements at hand that each got against a crowd of other answers.

    Args:
        crowd: answers that the policy writes for this question; texts of the two candidates are left out.
        keep: judgements of each candidate that the judge is shown; critical and long ones come first.
        temperature: of the crowd.
        combine: of the two orders.
        max_tokens: length limit of judgements and verdicts; 0 is three times the task's.

    Returns:
        The combined verdict. A judgement against the crowd is critical when the candidate lost; its own verdict is cut
        off, so that it informs the final one without voting.
    """
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    sampling = Sampling(0.0, max_tokens=max_tokens or 3 * task.sampling.max_tokens, logprobs=5)
    drawn = yield from sample(example.prompt, n=crowd, sampling=replace(task.sampling, temperature=temperature))
    texts = dict.fromkeys(reply.text for reply in drawn if reply.text not in (first.text, second.text))
    others = [Candidate(f"crowd{i}", replace(drawn[0], text=text)) for i, text in enumerate(texts)]
    pairs = [(candidate, other) for candidate in (first, second) for other in others]
    asked = [
        ask_once(forms.about(example, forms.compare(example.question, a.text, b.text)), a, b, sampling)
        for a, b in pairs
    ]
    judged = yield from gather(asked)
    notes = {
        candidate.id: "\n\n".join(
            informative([v for (a, _), v in zip(pairs, judged, strict=True) if a is candidate], candidate.id, keep)
        )
        for candidate in (first, second)
    }

    def ask(a: Candidate, b: Candidate) -> Flow[Verdict]:
        prompt = forms.compare_critiqued(example.question, a.text, notes[a.id], b.text, notes[b.id])
        return (yield from ask_once(forms.about(example, prompt), a, b, sampling))

    return (yield from in_both_orders(first, second, ask, combine))


def informative(verdicts: Sequence[Verdict], name: str, keep: int) -> list[str]:
    """The texts of the most telling judgements about a candidate: lost ones first, then long ones, verdicts cut off."""
    readable = [verdict for verdict in verdicts if verdict.choice is not None]
    ranked = sorted(readable, key=lambda verdict: (verdict.choice in (name, TIE), -len(verdict.raw)))
    return [text for verdict in ranked[:keep] if (text := without_verdict(verdict.raw))]


def without_verdict(text: str) -> str:
    """A judgement up to the sentence or line that holds its verdict; what comes after, when the verdict comes first."""
    reading = read_comparison(text)
    if reading is None:
        return text.strip()
    start = max(text.rfind(mark, 0, reading.start) + 1 for mark in "\n.!?")
    return text[:start].strip() or text[reading.end :].lstrip(" \n*_`\"'.)]}").rstrip()
