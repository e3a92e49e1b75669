"""A judge that gathers evidence first, scores both answers, and is asked several times in both orders."""

from __future__ import annotations

import re
from collections import Counter
from math import log
from statistics import fmean

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import TIE, Candidate, Example, Generation, Sampling, Task, Verdict, form, user
from whetstone.signals import forms

SCORES = f"""{forms.ANSWERS}\
Compare the two answers. First write down your evidence, without letting the order in which they are shown sway you. \
Then end with two lines, "Score of A: " and "Score of B: ", each with a number from 1 to 10."""

LINE = {name: re.compile(rf"score of {name}\W*(\d+(?:\.\d+)?)", re.IGNORECASE) for name in "AB"}


@method(
    "judge",
    papers=("Large Language Models are not Fair Evaluators",),
    checked="tests/signals/test_balanced_judge.py::test_restores_the_planted_truth_behind_a_position_bias",
)
def balanced_judge(
    task: Task,
    example: Example,
    first: Candidate,
    second: Candidate,
    *,
    samples: int = 3,
    temperature: float = 1.0,
    max_tokens: int = 512,
) -> Flow[Verdict]:
    """Score both answers after writing evidence, `samples` times in each order, and compare the mean scores.

    Args:
        samples: replies in each order.
        temperature: of the replies.
        max_tokens: length limit of a reply.

    Returns:
        The answer with the higher calibrated score, or a tie of equal ones; `orders` holds the single verdicts, of
        which `position_entropy` says how much a person should look at the pair. Unreadable replies are left out; there
        is no choice when one order has none left.
    """
    if first.text == second.text:
        return Verdict((first.id, second.id), TIE, reason="equal texts")
    sampling = Sampling(temperature, max_tokens=max_tokens)

    def ask(a: Candidate, b: Candidate) -> Flow[list[Generation]]:
        prompt = user(form("score_pair", SCORES, question=example.question, first=a.text, second=b.text))
        return (yield from sample(forms.about(example, prompt), n=samples, sampling=sampling, role="judge"))

    pairs = ((first, second), (second, first))
    replies = yield from gather(ask(a, b) for a, b in pairs)
    points: dict[str, list[list[float]]] = {first.id: [[], []], second.id: [[], []]}
    orders = []
    for turn, ((a, b), generations) in enumerate(zip(pairs, replies, strict=True)):
        for reply in generations:
            scores = read_scores(reply.text)
            if scores is None:
                orders.append(Verdict((a.id, b.id), None, reason="unreadable reply", raw=reply.text))
                continue
            points[a.id][turn].append(scores[0])
            points[b.id][turn].append(scores[1])
            orders.append(Verdict((a.id, b.id), choose(a.id, b.id, *scores), raw=reply.text))
    shown = (first.id, second.id)
    if any(not turn for turn in points[first.id]):
        return Verdict(shown, None, reason="no readable reply in one order", orders=tuple(orders))
    left, right = (fmean(map(fmean, points[name])) for name in shown)
    return Verdict(shown, choose(*shown, left, right), orders=tuple(orders))


def choose(first: str, second: str, left: float, right: float) -> str:
    """The id with the higher score."""
    return TIE if left == right else first if left > right else second


def read_scores(text: str) -> tuple[float, float] | None:
    """The last score of each answer, from 1 to 10; None unless both are there."""
    found = [pattern.findall(text) for pattern in LINE.values()]
    if not all(found):
        return None
    a, b = (float(scores[-1]) for scores in found)
    return (a, b) if 1 <= a <= 10 and 1 <= b <= 10 else None


def position_entropy(verdict: Verdict) -> float | None:
    """Balanced position diversity entropy (nats): of the outcomes of a pair's single verdicts; high ones need a person.

    None when no single verdict was readable.
    """
    counts = Counter(order.choice for order in verdict.orders if order.choice is not None)
    n = counts.total()
    return -sum(c / n * log(c / n) for c in counts.values()) if n else None
