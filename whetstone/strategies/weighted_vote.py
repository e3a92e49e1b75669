"""A vote in which better candidates count more."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Literal

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow
from whetstone.core.registry import load, method
from whetstone.core.types import Example, Outcome, Signal, Task
from whetstone.signals.values import unknown
from whetstone.strategies.drawing import draw
from whetstone.strategies.voting import voted

Weights = Literal["value", "exp", "rank", "accept"]


@method(
    "strategy",
    presets={
        "borda": (
            "Scalable Best-of-N Selection for Large Language Models via Self-Certainty",
            {"signal": "self_certainty", "weights": "rank", "power": 0.5, "n": 64},
        ),
        "self_check": (
            "Critique Ability of Large Language Models",
            {"signal": "critique", "weights": "accept", "threshold": 0.5},
        ),
        "average_confidence": (
            "Can LLMs Express Their Uncertainty? An Empirical Evaluation of Confidence Elicitation in LLMs",
            {"signal": "verbalized", "weights": "value", "n": 5},
        ),
    },
    checked="tests/strategies/test_weighted_vote.py::test_a_planted_signal_overturns_the_majority_and_noise_does_not",
)
def weighted_vote(
    task: Task,
    example: Example,
    *,
    n: int = 16,
    signal: str = "critique",
    weights: Weights = "value",
    power: float = 0.5,
    threshold: float = 0.5,
) -> Flow[Outcome]:
    """Sample `n` solutions and return the answer with the largest weight, weights being given by a signal.

    Args:
        n: samples.
        signal: name of any signal.
        weights: "value" adds values, "exp" their exponentials (for log-probabilities), "rank" adds
            (n - rank + 1) ** power, "accept" counts the candidates at or above `threshold`, or all if there are none.
        power: for "rank"; 0 is the plain majority, infinity the best of n.
        threshold: for "accept".

    The confidence is the winner's share of the weight. A candidate whose signal abstains has no weight (with "rank",
    the last places). A signal that abstains for every candidate makes the strategy abstain.
    """
    trail = yield from draw(task, example, n, source="weighted_vote")
    signals: Sequence[Signal] = yield from load(signal, "signal")(task, example, trail)
    values = [s.value for s in signals]
    silent = values.count(None)
    if silent == n:
        return Outcome(None, unknown("weighted_vote", f"{signal}: {signals[0].abstained}", "probability", n=n), trail)
    given = weigh(values, weights, power, threshold)
    return voted("weighted_vote", task, example, trail, given, signal=signal, abstained=silent)


def weigh(values: Sequence[float | None], weights: Weights, power: float, threshold: float) -> list[float]:
    """The weight of each candidate. Raises ConfigError when values are negative and `weights` is "value"."""
    if weights == "rank":
        order = sorted(range(len(values)), key=lambda i: (values[i] is None, -(values[i] or 0.0)))
        place = {i: rank for rank, i in enumerate(order)}
        return [float((len(values) - place[i]) ** power) for i in range(len(values))]
    if weights == "accept":
        accepted = [float(value is not None and value >= threshold) for value in values]
        return accepted if any(accepted) else [1.0] * len(values)
    if weights == "exp":
        return [0.0 if value is None else exp(min(value, 700.0)) for value in values]
    if any(value is not None and value < 0 for value in values):
        raise ConfigError("the signal has negative values, which cannot be weights: use weights=exp or weights=rank")
    return [value or 0.0 for value in values]
