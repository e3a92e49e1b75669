"""Does a judge rank systems as people do, and how: sharper or blunter, and in whose favour?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.registry import method
from whetstone.core.types import Finding, Json
from whetstone.stats import Estimate, finding
from whetstone.stats.bootstrap import from_draws, resamples

Floats = NDArray[np.float64]
GRID = np.exp(np.linspace(np.log(0.2), np.log(10), 40))


@method(
    "table",
    papers=("JuStRank: Benchmarking LLM Judges for System Ranking",),
    checked="tests/audits/test_system_ranking.py::test_recovers_planted_sharpness_and_bias",
)
def system_ranking(
    judge: ArrayLike,
    human: ArrayLike,
    *,
    systems: Sequence[str] = (),
    aggregate: Literal["mean", "median", "win_rate", "bradley_terry"] = "mean",
    rounds: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Quality of a judge's ranking of systems, its decisiveness, and its bias for or against each system.

    Args:
        judge, human: [items, systems] scores of the same answers on any two scales.
        systems: names; by default numbers.
        aggregate: how a judge's scores of a system become one.
        rounds: of the bootstrap over items.
        seed: of the bootstrap.

    Returns:
        `tau`: Kendall's tau between the judge's and the people's order of systems; `decisiveness`: the shape alpha of
        the cumulative beta curve from people's win rates to the judge's (1 neutral, above it the judge exaggerates
        gaps); `bias SYSTEM`: mean win rate that the judge gives to a system beyond what people's win rates and this
        curve make of it, against 0; `bias_spread`: the standard deviation of these biases.

    Raises ConfigError unless both tables have one shape, two systems or more, and no missing score.
    """
    said, truth = np.asarray(judge, dtype=np.float64), np.asarray(human, dtype=np.float64)
    if said.ndim != 2 or said.shape != truth.shape or said.shape[1] < 2 or np.isnan(said + truth).any():
        raise ConfigError(f"scores must be [items, systems] without gaps, not {said.shape} and {truth.shape}")
    n, k = said.shape
    names = list(systems) or [str(i) for i in range(k)]
    ours, gold = _wins(said), _wins(truth)

    drawn = np.concatenate(list(resamples(np.arange(n), n, rounds, np.random.default_rng(seed))))
    weights = np.concatenate([np.ones((1, n)), drawn])
    quality = _taus(said, truth, weights, aggregate)
    judged, people = weights @ ours / n, weights @ gold / n
    bent, residual = decisiveness(judged, people), biases(judged, people)

    def estimate(values: Floats) -> Estimate:
        return from_draws(float(values[0]), values[1:], None, n, n, 0.025, "bootstrap percentile")

    quantile = float(scipy.special.stdtrit(n - 1, 0.975))
    sharp, spread = float(bent[0]), float(np.exp(quantile * np.log(bent[1:]).std(ddof=1)))
    low, high = sharp / spread, sharp * spread
    told = "exaggerates gaps" if low > 1 else "shrinks gaps" if high < 1 else "neither sharper nor blunter than people"
    found = [
        finding("tau", estimate(quality)),
        Finding("decisiveness", sharp, (low, high), n, 1.0, None, told, {"method": "bootstrap t of the logarithm"}),
        finding("bias_spread", estimate(residual.std(axis=1))),
    ]
    for name, values in zip(names, residual.T, strict=True):
        one, half = float(values[0]), float(values[1:].std(ddof=1) * scipy.special.stdtrit(n - 1, 1 - 0.025 / k))
        low, high = one - half, one + half
        told = "favours it" if low > 0 else "disfavours it" if high < 0 else "no bias found"
        detail: dict[str, Json] = {"method": "bootstrap t, simultaneous"}
        found.append(Finding(f"bias {name}", one, (low, high), n, 0.0, None, told, detail))
    return found


def _taus(said: Floats, truth: Floats, weights: Floats, aggregate: str) -> Floats:
    """Kendall's tau between the judge's and the people's system scores under each row of weights."""
    if aggregate == "median":
        order = np.argsort(said, axis=0)
        columns = range(said.shape[1])
        scores = np.stack([_medians(said[order[:, j], j], weights[:, order[:, j]]) for j in columns], axis=1)
    elif aggregate == "mean":
        scores = weights @ said
    else:
        wins = (weights @ _wins(said)).reshape(len(weights), *[said.shape[1]] * 2)
        scores = wins.sum(axis=2) if aggregate == "win_rate" else strengths(wins)
    people = weights @ truth
    return np.array([scipy.stats.kendalltau(a, b).statistic for a, b in zip(scores, people, strict=True)])


def strengths(wins: Floats) -> Floats:
    """Bradley-Terry log-strengths [rounds, k] of tables of wins [rounds, k, k], a tie being half a win of each.

    By Hunter's minorisation, "MM algorithms for generalized Bradley-Terry models" (2004), with half a win added to each
    side of each pair, so that a system that always wins has a strength.
    """
    k = wins.shape[1]
    others = 1 - np.eye(k)
    played = (wins + wins.transpose(0, 2, 1) + 1) * others
    won = ((wins + 0.5) * others).sum(axis=2)
    p = np.ones((len(wins), k))
    for _ in range(200):
        p = won / (played / (p[:, :, None] + p[:, None, :])).sum(axis=2)
        p /= np.exp(np.log(p).mean(axis=1, keepdims=True))
    return np.asarray(np.log(p))


def decisiveness(ours: Floats, gold: Floats) -> Floats:
    """The shape [rounds] that takes gold win rates [rounds, k * k] closest to the judge's, by least squares."""
    k = round(gold.shape[1] ** 0.5)
    rows, columns = np.triu_indices(k, 1)
    y, x = (table.reshape(-1, k, k)[:, rows, columns] for table in (ours, gold))
    loss = np.stack([((scipy.special.betainc(shape, shape, x) - y) ** 2).sum(axis=1) for shape in GRID], axis=1)
    best = np.clip(loss.argmin(axis=1), 1, len(GRID) - 2)
    left, middle, right = (loss[np.arange(len(loss)), best + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return np.asarray(np.exp(np.log(GRID[best]) + np.clip(shift, -1, 1) * np.log(GRID[1] / GRID[0])))


def biases(ours: Floats, gold: Floats) -> Floats:
    """Mean residual win rate of each system [rounds, k] from the curve of the judge's decisiveness."""
    k = round(gold.shape[1] ** 0.5)
    shape = decisiveness(ours, gold)[:, None]
    residual = (ours - scipy.special.betainc(shape, shape, gold)).reshape(-1, k, k)
    return np.asarray(residual.sum(axis=2) / (k - 1))


def _wins(scores: Floats) -> Floats:
    """Who scores above whom on each item, ties shared: [items, k * k]; the diagonal is 1/2."""
    return np.asarray((np.sign(scores[:, :, None] - scores[:, None, :]) + 1) / 2).reshape(len(scores), -1)


def _medians(values: Floats, weights: Floats) -> Floats:
    """Medians of sorted values under each row of weights."""
    total = weights.cumsum(axis=1)
    low, high = (total >= total[:, -1:] / 2).argmax(axis=1), (total > total[:, -1:] / 2).argmax(axis=1)
    return np.asarray((values[low] + values[high]) / 2)
