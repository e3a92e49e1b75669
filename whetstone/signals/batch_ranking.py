"""A judge that ranks all answers at once, with every answer shown at every position."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from string import ascii_uppercase

from whetstone.core.flow import Flow, gather, sample
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Sampling, Signal, Task, form, user
from whetstone.signals import forms
from whetstone.signals.parsing import read_order
from whetstone.signals.values import known, unknown

RANK = """Question: {question}

{answers}

Rank the answers from best to worst. The order in which they are shown means nothing. End with one line, "Ranking: " \
and all letters, best first, as in {example}."""


@method("signal", checked="tests/signals/test_batch_ranking.py::test_recovers_the_planted_order_behind_a_position_bias")
def batch_ranking(
    task: Task,
    example: Example,
    candidates: Sequence[Candidate],
    *,
    size: int = 8,
    orders: int = 0,
    max_tokens: int = 512,
) -> Flow[list[Signal]]:
    """Share of the other answers that a judge ranks below this one, averaged over balanced orders of showing them.

    Args:
        size: answers shown together at most, up to 26; more are dealt into groups of about equal size by their order.
        orders: how many orders of each group are asked, of the rotations and their reverses in turn; 0 asks all, so
            that every answer stands at every position, and before and behind every other, equally often.
        max_tokens: length limit of a ranking.

    Kind "score", 0 to 1, n = readable rankings; the standard error is over orders. Equal texts are shown once. A
    ranking that does not name every answer once is unreadable. Values of different groups are comparable only as far as
    the groups are alike.
    """
    texts = list(dict.fromkeys(candidate.text for candidate in candidates))
    if len(texts) < 2:
        return [unknown("batch_ranking", "there is nothing to rank: all answers are equal")] * len(candidates)
    groups = -(-len(texts) // max(2, min(size, len(ascii_uppercase))))
    dealt = [texts[i::groups] for i in range(groups)]
    sampling = Sampling(0.0, max_tokens=max_tokens)

    def ask(shown: list[str]) -> Flow[dict[str, float] | None]:
        letters = ascii_uppercase[: len(shown)]
        parts = (f"[Answer {a}]\n{text}\n[End of answer {a}]" for a, text in zip(letters, shown, strict=True))
        fields = {"answers": "\n\n".join(parts), "example": " > ".join(reversed(letters))}
        prompt = forms.about(example, user(form("rank", RANK, question=example.question, **fields)))
        (reply,) = yield from sample(prompt, sampling=sampling, role="judge")
        order = read_order(reply.text, letters)
        return (
            None if order is None else {shown[letters.index(a)]: 1 - i / (len(shown) - 1) for i, a in enumerate(order)}
        )

    def rank(group: list[str]) -> Flow[dict[str, Signal]]:
        shown = balanced(group)[: orders or None]
        rankings = yield from gather(ask(order) for order in shown)
        read = [ranking for ranking in rankings if ranking is not None]
        return {text: averaged([ranking[text] for ranking in read], len(shown)) for text in group}

    ranked = yield from gather(rank(group) for group in dealt)
    signals = {text: signal for group in ranked for text, signal in group.items()}
    return [signals[candidate.text] for candidate in candidates]


def balanced(group: list[str]) -> list[list[str]]:
    """Orders in which every text stands at every position, and before every other as far as behind it, equally often.

    These are the rotations, each followed by its reverse.
    """
    rotations = [group[i:] + group[:i] for i in range(len(group))]
    both = [tuple(order) for rotation in rotations for order in (rotation, rotation[::-1])]
    return [list(order) for order in dict.fromkeys(both)]


def averaged(shares: Sequence[float], asked: int) -> Signal:
    """The mean share over readable rankings, with its standard error."""
    if not shares:
        return unknown("batch_ranking", f"{asked} unreadable rankings")
    stderr = stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else None
    return known("batch_ranking", fmean(shares), n=len(shares), stderr=stderr, unreadable=asked - len(shares))
