"""Share of comparisons that an answer wins against the others, under any judge of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, stdev

from whetstone.core.flow import Flow, gather
from whetstone.core.registry import load, method
from whetstone.core.types import TIE, Candidate, Example, Signal, Task
from whetstone.signals.values import known, unknown


@method(
    "signal",
    presets={
        "crowd": (
            "Crowd Comparative Reasoning: Unlocking Comprehensive Evaluations for LLM-as-a-Judge",
            {"judge": "crowd_judge"},
        )
    },
    checked="tests/signals/test_win_share.py::test_finds_the_planted_order_and_half_for_equals",
)
def win_share(
    task: Task, example: Example, candidates: Sequence[Candidate], *, judge: str = "pairwise_judge"
) -> Flow[list[Signal]]:
    """Share of the other answers that a judge of pairs finds worse, ties counting one half.

    Args:
        judge: name of a judge; it compares every pair of distinct texts once.

    Kind "score", 0 to 1, n = comparisons with a choice; the standard error is over them. With the preset `crowd`,
    taking the best of several answers by this signal is crowd rejection sampling.
    """
    texts: dict[str, Candidate] = {}
    for candidate in candidates:
        texts.setdefault(candidate.text, candidate)
    if len(texts) < 2:
        return [unknown("win_share", "there is nothing to compare: all answers are equal")] * len(candidates)
    pairs = list(combinations(texts.values(), 2))
    compare = load(judge, "judge")
    verdicts = yield from gather(compare(task, example, a, b) for a, b in pairs)
    points: dict[str, list[float]] = {text: [] for text in texts}
    reasons = [verdict.reason for verdict in verdicts if verdict.choice is None]
    for (a, b), verdict in zip(pairs, verdicts, strict=True):
        if verdict.choice is not None:
            won = 0.5 if verdict.choice == TIE else float(verdict.choice == a.id)
            points[a.text].append(won)
            points[b.text].append(1 - won)
    return [signal_of(points[candidate.text], len(texts) - 1, judge, reasons) for candidate in candidates]


def signal_of(won: Sequence[float], asked: int, judge: str, reasons: Sequence[str]) -> Signal:
    """The mean of points with its standard error."""
    if not won:
        return unknown("win_share", f"{judge}: {reasons[0]}", judge=judge)
    stderr = stdev(won) / len(won) ** 0.5 if len(won) > 1 else None
    return known("win_share", fmean(won), n=len(won), stderr=stderr, judge=judge, unread=asked - len(won))
