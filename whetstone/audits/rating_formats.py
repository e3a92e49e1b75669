"""In which format should a judge rate: number alone, freely, before or after explaining, with steps or without?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.asking import rated
from whetstone.audits.evaluating import cluster, ratings_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task
from whetstone.stats import bootstrap, finding
from whetstone.stats.correlation import kendall, pearson

Floats = NDArray[np.float64]


@method(
    "audit",
    papers=("A Closer Look into Automatic Evaluation Using Large Language Models",),
    checked="tests/audits/test_rating_formats.py::test_finds_the_planted_correlations_and_the_best_format",
)
def rating_formats(
    task: Task,
    cases: Sequence[Case],
    *,
    formats: tuple[str, ...] = ("score_only", "free", "rate_explain", "analyze_rate"),
    steps: tuple[bool, ...] = (False, True),
    samples: int = 1,
    temperature: float = 0.0,
) -> Flow[list[Finding]]:
    """Correlation of a judge's ratings with people's, by output format, with and without written evaluation steps.

    Args:
        formats: styles of `pointwise`.
        steps: with `False`, `True` or both: whether the judge writes evaluation steps first (auto-CoT).
        samples: ratings of each answer, averaged; with a temperature above 0.
        temperature: of the ratings.

    People's ratings are the example's `meta["ratings"]`, one a candidate; else right counts 1 and wrong 0.
    """
    human = [value for case in cases for value in ratings_of(case)]
    if len({value for value in human if value is not None}) < 2:
        raise Abstain("the answers need ratings, or labels of right and wrong, that differ")
    arms = [(style, step) for step in steps for style in formats]
    specs = [
        f"pointwise:style={style},steps={step},samples={samples},temperature={temperature}" for style, step in arms
    ]
    values = yield from gather(rated(task, cases, spec) for spec in specs)
    ratings = {
        style + ("+steps" if step else ""): [signal.value for signals in arm for signal in signals]
        for (style, step), arm in zip(arms, values, strict=True)
    }
    if all(value is None for arm in ratings.values() for value in arm):
        raise Abstain("no rating was readable")
    groups = [cluster(case.example) for case in cases for _ in case.candidates]
    return compared(ratings, human, groups)


def compared(
    ratings: Mapping[str, Sequence[float | None]],
    human: Sequence[float | None],
    groups: Sequence[str],
    *,
    seed: int = 0,
) -> list[Finding]:
    """The audit of ratings.

    Args:
        ratings: [n] of each format; None is unreadable.
        human: [n] people's ratings of the same answers.
        groups: [n] clusters, resampled whole.
        seed: of the bootstrap.

    Returns:
        `pearson/FORMAT` and `kendall/FORMAT` on the answers that a format rated (the unreadable ones are counted), and
        `best - FORMAT`, the lead in Pearson's correlation of the format that has the highest over each other one, on
        answers that all rated. A format whose ratings do not vary has no correlation.
    """
    truth = _floats(human)
    found, usable = [], ~np.isnan(truth)
    arms = {name: _floats(values) for name, values in ratings.items()}
    scores: dict[str, float] = {}
    for name, values in arms.items():
        known = ~np.isnan(values) & ~np.isnan(truth)
        where = [group for group, is_known in zip(groups, known, strict=True) if is_known]
        missing = int(np.isnan(values).sum())
        linear = pearson(values[known], truth[known], groups=where, seed=seed)
        ranked = kendall(values[known], truth[known], groups=where, seed=seed)
        told = "" if linear.value is not None else "not measured: too few readable ratings, or ratings that do not vary"
        found += [
            finding(f"pearson/{name}", linear, verdict=told, unreadable=missing),
            finding(f"kendall/{name}", ranked, verdict=told, unreadable=missing),
        ]
        if linear.value is not None:
            scores[name] = linear.value
            usable &= known
    if len(scores) < 2 or not usable.any():
        return found
    best = max(scores, key=scores.__getitem__)
    where = [group for group, is_known in zip(groups, usable, strict=True) if is_known]
    for name in scores:
        if name != best:
            lead = bootstrap(
                _lead(arms[best][usable], arms[name][usable], truth[usable]), int(usable.sum()), groups=where, seed=seed
            )
            clear = lead.interval is not None and lead.interval[0] > 0
            told = f"{best} is better than {name}" if clear else f"{best} and {name} cannot be told apart"
            found.append(finding(f"best - {name}", lead, verdict=told, best=best))
    return found


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _lead(best: Floats, other: Floats, truth: Floats) -> Callable[[Floats], Floats]:
    """Difference of two weighted correlations with the same truth."""

    def correlation(x: Floats, weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        mx, my = weights @ x / total, weights @ truth / total
        cov = weights @ (x * truth) / total - mx * my
        var = (weights @ (x * x) / total - mx * mx) * (weights @ (truth * truth) / total - my * my)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(var > 1e-12, cov / np.sqrt(np.maximum(var, 1e-300)), np.nan)

    return lambda weights: correlation(best, weights) - correlation(other, weights)
