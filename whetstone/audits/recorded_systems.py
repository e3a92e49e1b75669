"""Does a judge put systems in the order of the labels, how sharply, and whom does it favour?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whetstone.audits.recorded import Floats, Verdicts
from whetstone.core.types import Finding
from whetstone.stats import Estimate
from whetstone.stats.bootstrap import from_draws, resamples

ROUNDS = 1000
MOST = 12  # systems up to which each one's bias is told
LEAST = 3
BLOCKS = 5000  # of prompts that are resampled together, where there are more


def system_order(verdicts: Verdicts, *, seed: int = 0) -> list[Finding]:
    """Quality of the order in which a judge's verdicts put systems, on the rows that have a label.

    Returns:
        `system_order`: Kendall's tau-b between the systems' win shares by the judge and by the labels. `decisiveness`:
        slope of the judge's shares on the labels' about 1/2, against 1 (a judge that errs at random is below it).
        `bias SYSTEM`: the judge's share beyond what this slope makes of the labels', against 0, with simultaneous
        intervals; of more than `MOST` systems those of the largest. Intervals resample prompts. Nothing for fewer than
        three systems, or without labels.

    Source: decisiveness and bias of "JuStRank: Benchmarking LLM Judges for System Ranking", with a line for its beta
    curve, since a system's rows need not be the same as another's.
    """
    if verdicts.sources is None or verdicts.gold is None:
        return []
    sources = verdicts.sources
    known = ~np.isnan(verdicts.gold) & ~np.isnan(verdicts.chosen) & (sources[:, 0] != sources[:, 1])
    said, gold = verdicts.chosen[known], verdicts.gold[known]
    there, code = np.unique(sources[known].T.ravel(), return_inverse=True)
    k = len(there)
    if k < LEAST:
        return []
    rng = np.random.default_rng(seed)
    unit = np.unique(verdicts.groups[known], return_inverse=True)[1]
    n = min(int(unit.max()) + 1, BLOCKS)
    unit = np.tile(rng.permutation(int(unit.max()) + 1)[unit] % n, 2)
    columns = (np.concatenate([said, 1 - said]), np.concatenate([gold, 1 - gold]), np.ones(2 * len(said)))
    sums = np.stack([np.bincount(unit * k + code, values, n * k).reshape(n, k) for values in columns], axis=1)
    blocks = [np.ones((1, n)), *resamples(np.arange(n), n, ROUNDS, rng)]
    totals = np.concatenate([np.tensordot(weights, sums, axes=1) for weights in blocks])
    with np.errstate(invalid="ignore"):
        judged, people = totals[:, 0] / totals[:, 2], totals[:, 1] / totals[:, 2]
    slopes, residuals = _lines(judged, people)
    order = replace(_estimate(_tau(judged, people), n), n=len(said))
    low = order.interval[0] if order.interval else 0.0
    told = "orders systems as the labels do" if low > 0 else "not shown to order systems as the labels do"
    sharp = replace(_estimate(slopes, n), n=len(said))
    low, high = sharp.interval or (1.0, 1.0)
    bent = (
        "exaggerates gaps" if low > 1 else "shrinks gaps" if high < 1 else "neither sharper nor blunter than the labels"
    )
    found = [_finding("system_order", order, 0.0, told), _finding("decisiveness", sharp, 1.0, bent)]
    each = np.bincount(code, minlength=k).tolist()
    biases = [replace(_bias(verdicts.names[there[i]], residuals[:, i], n, k), n=each[i]) for i in range(k)]
    return found + sorted(biases, key=lambda one: -abs(one.estimate or 0.0))[:MOST]


def _lines(judged: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Slope of a line through (1/2, 1/2) and what it leaves, for each row of shares; unknown shares weigh nothing."""
    x, y = people - 0.5, judged - 0.5
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.nansum(x * y, axis=1) / np.nansum(x * x, axis=1)
    return slope, y - slope[:, None] * x


def _tau(judged: Floats, people: Floats) -> Floats:
    """Tau-b of each row; NaN where one side is all even. Shares that differ by rounding alone are even."""
    i, j = np.triu_indices(judged.shape[1], 1)
    one, two = (np.sign(np.round(side[:, i] - side[:, j], 12)) for side in (judged, people))
    both = ~np.isnan(one) & ~np.isnan(two)
    one, two = np.where(both, one, 0.0), np.where(both, two, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((one * two).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1)))


def _estimate(values: Floats, n: int, tail: float = 0.025) -> Estimate:
    """The first value with the interval of the others; where all are the same that value is the interval."""
    draws = values[1:][~np.isnan(values[1:])]
    found = from_draws(float(values[0]), draws, None, n, n, tail, "bootstrap percentile")
    if found.interval is None and n > MOST and draws.size and float(np.ptp(draws)) < 1e-9:
        return Estimate(found.value, (float(draws[0]), float(draws[0])), n, None, found.method, "in every resample")
    return found


def _bias(name: str, values: Floats, n: int, k: int) -> Finding:
    one = _estimate(values, n, 0.025 / k)
    low, high = one.interval or (0.0, 0.0)
    told = "favours it" if low > 0 else "disfavours it" if high < 0 else "no bias found"
    return _finding(f"bias {name}", one, 0.0, told)


def _finding(name: str, one: Estimate, null: float, told: str) -> Finding:
    unknown = one.value is None or np.isnan(one.value)
    value = None if unknown else one.value
    return Finding(name, value, one.interval, one.n, null, None, "" if unknown else told, {"method": one.method})
