"""How many matches a schedule needs until the order of systems is known, with planted skills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking.estimators import Estimator
from whetstone.ranking.schedules.schedule import Judge, Schedule
from whetstone.stats.estimate import Estimate

Floats = NDArray[np.float64]


def spearman(scores: Floats, truth: Floats) -> float:
    """Rank correlation over the systems whose truth is no NaN; 0 where all scores are equal and so say nothing."""
    known = ~np.isnan(truth)
    scores, truth = scores[known], truth[known]
    if np.ptp(scores) == 0:
        return 0.0
    ranks = scipy.stats.rankdata(np.stack([scores, truth]), axis=1)
    return float(np.corrcoef(ranks)[0, 1])


def curve(schedule: Schedule[Any], judge: Judge, estimator: Estimator, truth: Floats, at: Sequence[int]) -> Floats:
    """[len(at)] rank correlation with the truth after so many matches.

    Args:
        truth: [k] planted skills; NaN for a system that does not count.
        at: rising numbers of matches. A schedule that ends before has the correlation of its end from there on.
    """
    found: list[float] = []
    n = 0
    try:
        batch = next(schedule)
        while True:
            places, start = judge(batch), 0
            while len(found) < len(at) and at[len(found)] <= n + len(batch):
                stop = at[len(found)] - n
                estimator.learn(batch[start:stop], places[start:stop])
                found.append(spearman(estimator.scores, truth))
                start = stop
            if len(found) == len(at):
                return np.asarray(found)
            estimator.learn(batch[start : len(batch)], places[start:])
            n += len(batch)
            batch = schedule.send(places)
    except StopIteration:
        return np.asarray(found + [spearman(estimator.scores, truth)] * (len(at) - len(found)))
    finally:
        schedule.close()


def grid(most: int, *, least: int = 8, growth: float = 1.1) -> list[int]:
    """Numbers of matches that grow by a factor, up to `most`."""
    steps = math.ceil(math.log(max(most / least, 1)) / math.log(growth))
    return sorted({min(most, math.ceil(least * growth**step)) for step in range(steps + 1)} | {most})


def matches_to_reach(
    curves: Floats, at: Sequence[int], target: float, *, rounds: int = 2000, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Matches after which the mean of the curves reaches a rank correlation.

    Args:
        curves: [runs, len(at)].
        target: rank correlation.
        rounds, level, seed: of a bootstrap of the runs.

    Returns:
        Interpolated between logarithms of `at`; None where the mean never gets there. An upper limit of infinity says
        that it may not.
    """
    method = "bootstrap percentile"
    value = crossing(curves.mean(axis=0)[None], at, target)[0]
    if math.isinf(value):
        note = f"a mean rank correlation of {curves[:, -1].mean():.3f} after {at[-1]} matches"
        return Estimate(None, None, len(curves), None, method, note)
    drawn = crossing(resampled([curves], rounds, seed)[0], at, target)
    return Estimate(float(value), _limits(drawn, level), len(curves), None, method)


def ratio_to_reach(
    slow: tuple[Floats, Sequence[int]],
    fast: tuple[Floats, Sequence[int]],
    target: float,
    *,
    rounds: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """How many times more matches the first needs than the second; runs are paired, other arguments as above."""
    method = "paired bootstrap percentile"
    values = [crossing(curves.mean(axis=0)[None], at, target)[0] for curves, at in (slow, fast)]
    n = len(slow[0])
    if math.isinf(values[1]):
        return Estimate(None, None, n, None, method, "the second never reaches it")
    if math.isinf(values[0]):
        note = f"the first never reaches it: more than {slow[1][-1] / values[1]:.3g} times"
        return Estimate(None, None, n, None, method, note)
    drawn = resampled([slow[0], fast[0]], rounds, seed)
    first, second = (crossing(means, at, target) for means, (_, at) in zip(drawn, (slow, fast), strict=True))
    with np.errstate(invalid="ignore"):
        ratio = first / second
    low, high = (_limits(np.where(np.isnan(ratio), extreme, ratio), level) for extreme in (0.0, np.inf))
    limits = (low[0], high[1])
    return Estimate(float(values[0] / values[1]), limits, n, None, method)


def resampled(curves: Sequence[Floats], rounds: int, seed: int) -> list[Floats]:
    """[rounds, points] mean curves of resampled runs, the same runs for each of several sets of curves."""
    rng = np.random.default_rng(seed)
    n = len(curves[0])
    weights = rng.multinomial(n, np.full(n, 1 / n), size=rounds) / n
    return [weights @ one for one in curves]


def crossing(means: Floats, at: Sequence[int], target: float) -> Floats:
    """[rounds] first number of matches at which a curve [rounds, len(at)] reaches the target; infinity if never."""
    reached = means >= target
    last = reached.argmax(axis=1)
    rows = np.arange(len(means))
    before = np.maximum(last - 1, 0)
    high, low = means[rows, last], means[rows, before]
    share = np.where(last > 0, (target - low) / np.maximum(high - low, 1e-12), 1.0)
    logs = np.log(np.asarray(at, dtype=np.float64))
    value = np.exp(logs[before] + share * (logs[last] - logs[before]))
    return np.asarray(np.where(reached.any(axis=1), value, np.inf))


def _limits(drawn: Floats, level: float) -> tuple[float, float]:
    ordered = np.sort(drawn)
    tail = (1 - level) / 2
    low, high = math.floor(tail * (len(ordered) - 1)), math.ceil((1 - tail) * (len(ordered) - 1))
    return float(ordered[low]), float(ordered[high])
