"""Does a model judge rank and vote as people do?"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone import stats
from whetstone.core.errors import TaskError
from whetstone.core.registry import method
from whetstone.core.types import Finding
from whetstone.ranking.bootstrap import bootstrap
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.strengths import fit_strengths
from whetstone.stats.estimate import Estimate, finding

Array = NDArray[np.float64]


@method(
    "ranking",
    papers=("GenAI Arena: An Open Evaluation Platform for Generative Models",),
    checked="tests/ranking/test_judge_correlation.py::test_a_good_judge_correlates_and_a_coin_does_not",
)
def judge_correlation(
    people: Comparisons, judge: Comparisons, *, rounds: int = 1000, level: float = 0.95, seed: int = 0
) -> list[Finding]:
    """Correlation of a judge's ranking, and of its votes on the same battles, with people's.

    The rankings are Bradley-Terry strengths with ties as half wins. Errors come from battles (or groups) resampled
    together where both voted on the same ones, else apart; noise in both rankings lowers their correlation.

    Args:
        people, judge: comparisons of the same systems. When rows agree in left and right, they are the same battles
            and the votes (1, 0, -1) are correlated too.
        rounds: bootstrap rounds.
        level: of the intervals.

    Returns:
        Spearman's and Kendall's correlation of the strengths, n being the systems; for the same battles also Pearson's
        correlation of the votes and the share of equal votes, n being the battles.

    Raises:
        TaskError: different systems.

    Source: Jiang et al., "GenAI Arena", 2024: votes of model judges correlated with those of people.
    """
    if people.names != judge.names:
        strange = ", ".join(sorted(set(people.names) ^ set(judge.names))) or "the names in this order"
        raise TaskError(f"people and judge compared different systems; only one of them has {strange}")
    same = np.array_equal(people.left, judge.left) and np.array_equal(people.right, judge.right)
    # The same seed and the same units mean that both rankings are refitted to the same resampled battles.
    unit = (np.arange(len(people)) if people.group is None else people.group) if same else None
    at, drawn = _strengths(people, unit, rounds, seed)
    other, other_drawn = _strengths(judge, unit, rounds, seed if same else seed + 1)
    found = []
    for name, correlate in (("rank_spearman", _spearman), ("rank_kendall", _kendall)):
        value, values = float(correlate(at[None], other[None])[0]), correlate(drawn, other_drawn)
        found.append(finding(name, _estimate(value, values, len(at), level)))
    if same:
        agree = people.outcome == judge.outcome

        def pearson(weights: Array) -> Array:
            return _weighted_pearson(people.outcome.astype(np.float64), judge.outcome.astype(np.float64), weights)

        votes = stats.bootstrap(pearson, len(people), groups=people.group, rounds=rounds, level=level, seed=seed)
        found.append(finding("vote_pearson", votes))
        found.append(finding("vote_agreement", stats.proportion(agree, groups=people.group, level=level)))
    return found


def _strengths(comparisons: Comparisons, unit: NDArray[Any] | None, rounds: int, seed: int) -> tuple[Array, Array]:
    """[k] strengths and [rounds, k] the same refitted to resampled comparisons."""
    found = fit_strengths(count(comparisons))
    cluster = comparisons.group if unit is None else unit
    drawn = bootstrap("half", comparisons, found.pairs, found.fit, rounds=rounds, seed=seed, cluster=cluster)
    return found.fit.strengths, drawn.strengths


def _estimate(value: float, values: Array, n: int, level: float) -> Estimate:
    """A normal interval of bootstrap width: resampling adds noise, which pulls a correlation's percentiles down."""
    stderr = float(values.std(ddof=1))
    reach = NormalDist().inv_cdf((1 + level) / 2) * stderr
    return Estimate(value, (max(-1.0, value - reach), min(1.0, value + reach)), n, stderr, "bootstrap normal")


def _spearman(first: Array, second: Array) -> Array:
    """[rounds] correlation of the ranks in each row."""
    ranks = [scipy.stats.rankdata(values, axis=1) for values in (first, second)]
    x, y = (values - values.mean(axis=1, keepdims=True) for values in ranks)
    return _ratio((x * y).sum(axis=1), (x**2).sum(axis=1) * (y**2).sum(axis=1))


def _kendall(first: Array, second: Array) -> Array:
    """[rounds] tau-b of each row."""
    total = np.zeros((3, len(first)))
    for i in range(first.shape[1] - 1):
        x, y = (np.sign(values[:, i : i + 1] - values[:, i + 1 :]) for values in (first, second))
        total += [(x * y).sum(axis=1), (x**2).sum(axis=1), (y**2).sum(axis=1)]
    return _ratio(total[0], total[1] * total[2])


def _ratio(shared: Array, apart: Array) -> Array:
    """[rounds] correlations; 0 where one ranking ties all systems and so says nothing."""
    result: Array = np.divide(shared, np.sqrt(apart), out=np.zeros_like(shared), where=apart > 1e-12)
    return result


def _weighted_pearson(x: Array, y: Array, weights: Array) -> Array:
    """[rounds] correlation under each row of weights; NaN where one of the two does not vary."""
    total = weights.sum(axis=1)
    mean_x, mean_y, xy, xx, yy = (weights @ v / total for v in (x, y, x * y, x * x, y * y))
    variance = (xx - mean_x**2) * (yy - mean_y**2)
    with np.errstate(invalid="ignore"):
        result: Array = (xy - mean_x * mean_y) / np.sqrt(np.where(variance > 1e-12, variance, np.nan))
    return result
