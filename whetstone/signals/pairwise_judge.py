"""A judge that compares two answers, shown in both orders."""

from __future__ import annotations

from typing import Literal

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Prompt, Sampling, Task, Verdict
from whetstone.signals import forms
from whetstone.signals.parsing import letter_probabilities, read_comparison
from whetstone.signals.review import write_reviews


@method("judge", checked="tests/signals/test_pairwise_judge.py::test_finds_the_better_answer_behind_a_position_bias")
def pairwise_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    critiques: bool = False,
    combine: Literal["agree", "average"] = "agree",
    temperature: float = 0.0,
    max_tokens: int = 0,
) -> Flow[Verdict]:
    """Compare two answers in both orders; what depends on the order does not count.

    Args:
        critiques: let the critic write a critique of each answer first, and show them to the judge.
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
        asked = [write_reviews(task, example.question, c.text, max_tokens=max_tokens) for c in (first, second)]
        notes = dict(zip(notes, [review.text for (review,) in (yield from gather(asked))], strict=True))
    sampling = Sampling(temperature, max_tokens=max_tokens or 3 * task.sampling.max_tokens, logprobs=5)
    orders = ((first, second), (second, first))
    verdicts = yield from gather(judge_order(example, a, b, notes, critiques, sampling) for a, b in orders)
    return combined(verdicts[0], verdicts[1], combine)


def judge_order(
    example: Example, a: Candidate, b: Candidate, notes: dict[str, str], critiqued: bool, sampling: Sampling
) -> Flow[Verdict]:
    """One verdict with `a` shown first."""
    prompt: Prompt = (
        forms.compare_critiqued(example.question, a.text, notes[a.id], b.text, notes[b.id])
        if critiqued
        else forms.compare(example.question, a.text, b.text)
    )
    (reply,) = yield from sample(prompt, sampling=sampling, role="judge")
    names = {"A": a.id, "B": b.id, "E": TIE}
    reading = read_comparison(reply.text)
    if reading is None:
        return Verdict((a.id, b.id), None, reason="unreadable reply", raw=reply.text)
    letters = letter_probabilities(reply, reading, names)
    probs = {names[letter]: p for letter, p in letters.items()} if letters else None
    return Verdict((a.id, b.id), names[reading.value], probs, raw=reply.text)


def combined(forward: Verdict, backward: Verdict, combine: Literal["agree", "average"]) -> Verdict:
    """One verdict from the verdicts in both orders."""
    orders, shown = (forward, backward), forward.shown
    if forward.choice is None or backward.choice is None:
        unread = sum(verdict.choice is None for verdict in orders)
        return Verdict(shown, None, reason=f"unreadable reply in {unread} of 2 orders", orders=orders)
    sides = [verdict.probs or {verdict.choice or TIE: 1.0} for verdict in orders]
    probs = {name: (sides[0].get(name, 0.0) + sides[1].get(name, 0.0)) / 2 for name in (*shown, TIE)}
    known = probs if forward.probs and backward.probs else None
    if combine == "average":
        best = max(probs.values())
        leaders = [name for name, p in probs.items() if p == best]
        return Verdict(shown, leaders[0] if len(leaders) == 1 else TIE, known, orders=orders)
    agreed = forward.choice == backward.choice
    return Verdict(
        shown, forward.choice if agreed else TIE, known, "" if agreed else "the orders disagree", orders=orders
    )
