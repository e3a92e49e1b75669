"""Self-consistency in small windows that stops at the first unanimous one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

from whetstone.core.errors import BudgetExceeded, ConfigError
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Candidate, Example, Outcome, Task
from whetstone.strategies.drawing import draw
from whetstone.strategies.voting import voted


@method(
    "strategy",
    papers=("Escape Sky-high Cost: Early-stopping Self-Consistency for Multi-step Reasoning",),
    checked="tests/strategies/test_early_stopping_consistency.py::test_cost_is_the_expected_one",
)
def early_stopping_consistency(task: Task, example: Example, *, window: int = 5, most: int = 40) -> Flow[Outcome]:
    """Draw windows of answers; a unanimous window's answer is final, else all `most` samples vote.

    Args:
        window: samples a window; windows are disjoint.
        most: samples at most, a multiple of `window`.

    The confidence is the winner's share of all samples drawn; stopping early makes it optimistic, so the provenance
    says why it stopped. An unreadable answer makes its window disagree.
    """
    if window < 1 or most % window:
        raise ConfigError(f"most={most} must be a multiple of window={window}")
    trail: tuple[Candidate, ...] = ()
    while len(trail) < most:
        try:
            fresh = yield from draw(task, example, window, source="early_stopping_consistency", start=len(trail))
        except BudgetExceeded:
            if not trail:
                raise
            return voted("early_stopping_consistency", task, example, trail, stopped="budget")
        trail += fresh
        answers = {task.read(example, candidate.text) for candidate in fresh}
        if len(answers) == 1 and None not in answers:
            return voted("early_stopping_consistency", task, example, trail, winner=answers.pop(), stopped="unanimous")
    return voted("early_stopping_consistency", task, example, trail, stopped="most")


def expected_samples(frequencies: Sequence[float], window: int, most: int) -> float:
    """Expected number of samples for a question whose answers have these probabilities.

    With q = sum p_j ** window and M = most / window it is window * (1 - (1 - q) ** M) / q (control scheme of the paper,
    in closed form).
    """
    unanimous = sum(p**window for p in frequencies)
    windows = most // window
    return float(window * (1 - (1 - unanimous) ** windows) / unanimous) if unanimous > 0 else float(most)


def wrong_stop_risk(frequencies: Sequence[float], window: int) -> float:
    """The paper's bound on stopping at an answer that is not the likeliest: normal tails of "j fills a window"."""
    others = sorted(frequencies, reverse=True)[1:]
    cdf = NormalDist().cdf
    return sum(cdf(-(window - window * p) / (window * p * (1 - p)) ** 0.5) for p in others if 0 < p < 1)
