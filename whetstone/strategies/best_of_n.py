"""Keep the best of several samples."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.flow import Flow
from whetstone.core.registry import load, method
from whetstone.core.types import Candidate, Example, Outcome, Signal, Task
from whetstone.signals.values import unknown
from whetstone.strategies.drawing import draw


@method(
    "strategy",
    presets={
        "self_certainty": (
            "Scalable Best-of-N Selection for Large Language Models via Self-Certainty",
            {"signal": "self_certainty", "n": 64},
        ),
        "open_ended": (
            "Self-consistency for open-ended generations",
            {"signal": "overlap", "n": 8},
        ),
    },
    checked="tests/strategies/test_best_of_n.py::test_finds_the_planted_best_and_is_no_better_than_chance_without_one",
)
def best_of_n(
    task: Task,
    example: Example,
    *,
    n: int = 8,
    signal: str = "mean_logprob",
    enough: float | None = None,
    ties: str = "first",
) -> Flow[Outcome]:
    """Sample `n` solutions and return the one with the highest value of a signal.

    Args:
        n: samples.
        signal: name of any signal.
        enough: values at or above this count as equally good, so that a saturated signal only accepts.
        ties: what decides among equals: "first", or the name of a second signal.

    Only candidates with a readable answer and a value take part. The confidence is the winner's signal.
    """
    trail = yield from draw(task, example, n, source="best_of_n")
    readable = [candidate for candidate in trail if task.read(example, candidate.text) is not None]
    if not readable:
        return Outcome(None, unknown("best_of_n", "no candidate has a readable answer", n=n), trail)
    signals: Sequence[Signal] = yield from load(signal, "signal")(task, example, readable)
    leaders = best(readable, signals, enough)
    if not leaders:
        return Outcome(None, unknown("best_of_n", f"{signal}: {signals[0].abstained}", n=n), trail)
    if ties != "first" and len(leaders) > 1:
        second: Sequence[Signal] = yield from load(ties, "signal")(task, example, leaders)
        leaders = best(leaders, second, None) or leaders
    chosen = leaders[0]
    return Outcome(task.read(example, chosen.text), signals[readable.index(chosen)], trail, chosen.text)


def best(candidates: Sequence[Candidate], signals: Sequence[Signal], enough: float | None) -> list[Candidate]:
    """The candidates with the highest known value; all at or above `enough` when any is."""
    values = [(candidate, s.value) for candidate, s in zip(candidates, signals, strict=True) if s.value is not None]
    top = max((value for _, value in values), default=0.0)
    bar = top if enough is None else min(top, enough)
    return [candidate for candidate, value in values if value >= bar]
