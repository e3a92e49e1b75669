"""A judge that answers the question itself, criticises both answers against its own, and then votes."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Sampling, Task, Verdict, form, user
from whetstone.signals import forms
from whetstone.signals.orders import leader, mean_shares, read_verdict

CRITICISE = """Question: {question}

Your own answer: {reference}

Another answer: {answer}

Criticise the other answer with your own as a reference. Your own may be wrong: say so where you see it. Principle: \
{principle}"""

COMPARE = """Question: {question}

[Answer A]
{first}
[End of answer A]
[Criticism of answer A]
{first_critique}
[End of criticism]

[Answer B]
{second}
[End of answer B]
[Criticism of answer B]
{second_critique}
[End of criticism]

Which answer is better by this principle: {principle} The order in which they are shown means nothing. End with one \
line, "Verdict: A", "Verdict: B", or "Verdict: E" if they are equally good."""


@method(
    "judge",
    papers=("Aligning Large Language Models from Self-Reference AI Feedback with one General Principle",),
    checked="tests/signals/test_self_reference_judge.py::test_agrees_more_and_leans_less_than_direct_judging",
)
def self_reference_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    principle: str = "choose what is best for humanity.",
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 512,
) -> Flow[Verdict]:
    """Vote over both orders, after the judge's own answer and its criticism of both answers against it.

    Args:
        principle: what counts, in one general sentence.
        samples: verdicts in each order; each votes.
        temperature: of the verdicts; above 0 for several samples.
        max_tokens: length limit of criticisms and verdicts.

    Returns:
        The verdict with the most votes; `probs` are the votes' shares, from token probabilities where the judge shows
        them. `strength` is 1 - log2 of the perplexity of the choice between the two (`strength_of`), for use as the
        weight of a preference. Unreadable votes are left out; there is no choice when an order has none left.
    """
    shown = (first.id, second.id)
    if first.text == second.text:
        return Verdict(shown, TIE, reason="equal texts")
    (own,) = yield from sample(example.prompt, sampling=replace(task.sampling, temperature=0.0), role="judge")
    sampling = Sampling(0.0, max_tokens=max_tokens)

    def criticise(text: str) -> Flow[str]:
        fields = {"question": example.question, "reference": own.text, "answer": text, "principle": principle}
        prompt = forms.about(example, user(form("criticise", CRITICISE, **fields)))
        (reply,) = yield from sample(prompt, sampling=sampling, role="judge")
        return reply.text

    notes = dict(zip(shown, (yield from gather(criticise(c.text) for c in (first, second))), strict=True))

    def ask(a: Candidate, b: Candidate) -> Flow[list[Verdict]]:
        fields = {"first": a.text, "second": b.text, "first_critique": notes[a.id], "second_critique": notes[b.id]}
        asked = form("compare_criticised", COMPARE, question=example.question, principle=principle, **fields)
        voting = replace(sampling, temperature=temperature, logprobs=5)
        replies = yield from sample(forms.about(example, user(asked)), n=samples, sampling=voting, role="judge")
        return [read_verdict(reply, a, b) for reply in replies]

    turns = yield from gather(ask(a, b) for a, b in ((first, second), (second, first)))
    orders = tuple(verdict for turn in turns for verdict in turn)
    votes = [[verdict for verdict in turn if verdict.choice is not None] for turn in turns]
    if not all(votes):
        return Verdict(shown, None, reason="no readable reply in one order", orders=orders)
    sides = [mean_shares(turn, shown) for turn in votes]
    probs = {name: (sides[0][name] + sides[1][name]) / 2 for name in (*shown, TIE)}
    choice = leader(probs)
    strength = 0.0 if choice == TIE else strength_of(probs[first.id], probs[second.id])
    return Verdict(shown, choice, probs, orders=orders, strength=strength)


def strength_of(first: float, second: float) -> float:
    """1 - log2 of the perplexity of a choice with these probabilities: 1 when it is certain, 0 when it is a coin's."""
    total = first + second
    if total == 0:
        return 0.0
    shares = (first / total, second / total)
    perplexity = exp(-sum(p * log(p) for p in shares if p > 0))
    return 1 - log(perplexity) / log(2)
