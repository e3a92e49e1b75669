"""How much do a judge's gradings of the same answer differ, with a rubric and without?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from whetstone.audits.asking import rated
from whetstone.audits.evaluating import cluster
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Signal, Task
from whetstone.stats import clustered_mean, finding, paired_permutation

RANGES = {"pointwise": 9.0, "point_rubric": 1.0, "rubric": 4.0}


@method(
    "audit",
    papers=(
        "KOFFVQA: An Objectively Evaluated Free-form VQA Benchmark for Large Vision-Language Models in the "
        "Korean Language",
    ),
    checked="tests/audits/test_grading_spread.py::test_finds_the_planted_spreads_and_no_difference_between_twins",
)
def grading_spread(
    task: Task,
    cases: Sequence[Case],
    *,
    graders: tuple[str, ...] = ("point_rubric", "pointwise"),
    repeats: int = 5,
    temperature: float = 1.0,
) -> Flow[list[Finding]]:
    """Spread of repeated gradings of the same answer, for itemised points against a grade without a rubric.

    Args:
        graders: among `point_rubric`, `rubric` and `pointwise` (1 to 10); the first is compared with the others.
        repeats: gradings of each answer; at least two.
        temperature: of the gradings.
    """
    if repeats < 2 or not set(graders) <= set(RANGES):
        raise Abstain(f"a spread needs two gradings or more, by some of {', '.join(RANGES)}")
    specs = [f"{grader}:samples={repeats},temperature={temperature}" for grader in graders]
    values = yield from gather(rated(task, cases, spec) for spec in specs)
    flat = {grader: [s for signals in arm for s in signals] for grader, arm in zip(graders, values, strict=True)}
    if all(signal.stderr is None for arm in flat.values() for signal in arm):
        raise Abstain("no answer has two readable gradings")
    return spreads(flat, [cluster(case.example) for case in cases for _ in case.candidates])


def spreads(graded: Mapping[str, Sequence[Signal]], groups: Sequence[str]) -> list[Finding]:
    """The audit of means of repeated gradings.

    Args:
        graded: of each grader [n] signals with `n` gradings and their standard error.
        groups: [n] clusters.

    Returns:
        `variance/GRADER`: mean variance of repeated gradings, in shares of the scale squared, over the answers with two
        or more readable ones; `variance/FIRST - GRADER` on the answers that both have.
    """
    found, arms = [], {}
    for grader, signals in graded.items():
        scale = RANGES.get(grader, 1.0)
        variances = [np.nan if s.stderr is None else s.stderr**2 * s.n / scale**2 for s in signals]
        arms[grader] = np.array(variances)
        known = ~np.isnan(arms[grader])
        where = [group for group, is_known in zip(groups, known, strict=True) if is_known]
        left_out = int((~known).sum())
        spread = clustered_mean(arms[grader][known], where)
        told = "" if known.any() else "not measured: no answer has two readable gradings"
        found.append(finding(f"variance/{grader}", spread, verdict=told, left_out=left_out))
    first, *others = arms
    for grader in others:
        both = ~np.isnan(arms[first]) & ~np.isnan(arms[grader])
        where = [group for group, is_known in zip(groups, both, strict=True) if is_known]
        test = paired_permutation(arms[first][both], arms[grader][both], groups=where)
        clear = test.p is not None and test.p < 0.05 and test.effect.value
        more = "more" if (test.effect.value or 0) < 0 else "less"
        told = f"{first} is {more} repeatable than {grader}" if clear else f"{first} and {grader} repeat alike"
        told = told if both.any() else "not measured: no answer was graded twice by both"
        found.append(finding(f"variance/{first} - {grader}", test, verdict=told))
    return found
