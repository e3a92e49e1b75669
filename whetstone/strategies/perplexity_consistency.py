"""Votes weighted by the probabilities of their reasoning paths."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, gamma
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Example, Outcome, Task
from whetstone.signals.values import unknown
from whetstone.strategies.drawing import draw
from whetstone.strategies.voting import voted

START = (0.5, 1.0, 1.0, 1.5, 2.0)
BOUNDS = ((0.2, 0.8), (0.01, None), (0.01, None), (0.01, None), (0.01, None))


@method(
    "strategy",
    papers=("Bridging Internal Probability and Self-Consistency for Effective and Efficient LLM Reasoning",),
    checked="tests/strategies/test_perplexity_consistency.py::test_is_exact_on_a_known_distribution_where_votes_are_noisy",
)
def perplexity_consistency(
    task: Task, example: Example, *, n: int = 16, length_normalised: bool = True, prune: bool = True
) -> Flow[Outcome]:
    """Sample solutions and return the answer whose distinct solutions have the most probability together.

    Args:
        n: samples.
        length_normalised: a path's probability is the geometric mean of its tokens', as in the authors' code; else
            their product, as in the paper.
        prune: drop improbable paths first, told apart by a two-component Weibull mixture.

    Confidence: the answer's share of the probability of all distinct readable paths.
    """
    trail = yield from draw(task, example, n, source="perplexity_consistency")
    probabilities: list[float] = []
    for candidate in trail:
        logprobs = [token.logprob for token in candidate.generation.tokens or ()]
        probabilities.append(exp(fmean(logprobs) if length_normalised else sum(logprobs)) if logprobs else 0.0)
    if not any(probabilities):
        reason = "the generations have no token log-probabilities"
        return Outcome(None, unknown("perplexity_consistency", reason, "probability", n=n), trail)
    kept = keep(probabilities) if prune else [True] * n
    weights, seen = [], set[str]()
    for candidate, p, is_kept in zip(trail, probabilities, kept, strict=True):
        weights.append(p if is_kept and candidate.text not in seen else 0.0)
        seen.add(candidate.text)
    return voted("perplexity_consistency", task, example, trail, weights, pruned=kept.count(False))


def keep(probabilities: Sequence[float]) -> list[bool]:
    """Which paths to keep: all but those that the mixture calls improbable and that lie below the mean.

    A mixture w Weibull(k1, l1) + (1 - w) Weibull(k2, l2) is fitted by maximum likelihood; the component with the larger
    mean l Gamma(1 + 1/k) is the probable one. Fewer than four distinct probabilities are all kept.
    """
    p = np.maximum(np.asarray(probabilities, dtype=float), 1e-12)
    if np.unique(p).size < 4:
        return [True] * p.size

    def parts(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        w, k1, l1, k2, l2 = theta
        return w * weibull(p, k1, l1), (1 - w) * weibull(p, k2, l2)

    def loss(theta: NDArray[np.float64]) -> float:
        one, two = parts(theta)
        return -float(np.log(one + two + 1e-300).sum())

    fit = minimize(loss, START, bounds=BOUNDS, method="L-BFGS-B").x
    one, two = parts(fit)
    high = one if fit[2] * gamma(1 + 1 / fit[1]) >= fit[4] * gamma(1 + 1 / fit[3]) else two
    probable = high / (one + two + 1e-300) >= 0.5
    return [bool(likely or above) for likely, above in zip(probable, p >= p.mean(), strict=True)]


def weibull(x: NDArray[np.float64], shape: float, scale: float) -> NDArray[np.float64]:
    """Density of the Weibull distribution."""
    with np.errstate(over="ignore", under="ignore"):
        y = x / scale
        density: NDArray[np.float64] = np.exp(np.log(shape / scale) + (shape - 1) * np.log(y) - y**shape)
    return density
