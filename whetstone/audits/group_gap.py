"""Is a judge as good in every language, and does it use its scale there?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

from whetstone.audits.evaluating import Pair, higher, measure, prefer, right_and_wrong
from whetstone.audits.multilingual_pairs import multilingual
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import find, method
from whetstone.core.types import Case, Finding, Json, Signal, Task, Verdict
from whetstone.stats import finding, holm, proportion
from whetstone.stats.group_rates import deal_units, dealt_units, group_rates


@method(
    "audit",
    papers=("MM-Eval: A Multilingual Meta-Evaluation Benchmark for LLM-as-a-Judge and Reward Models",),
    checked="tests/audits/test_group_gap.py::test_finds_the_planted_gap_and_collapse_and_none_where_groups_are_alike",
)
def group_gap(
    task: Task,
    cases: Sequence[Case],
    *,
    evaluator: str = "pairwise_judge",
    key: str = "language",
    per_case: int = 1,
    bundled: int = 0,
) -> Flow[list[Finding]]:
    """Accuracy of a judge or signal in each group of questions, their gap, and groups in which its scores collapse.

    Args:
        evaluator: name of a judge, or of a signal, which prefers its higher value.
        key: what an example's `meta` calls its group: language, bias, category ...; "" where it has none.
        per_case: pairs of a right and a wrong answer from each case, for a judge.
        bundled: judge so many generated pairs in eight languages instead (keys "language" and "category").

    Returns:
        `accuracy GROUP` on pairs of a right and a wrong answer, ties counting 1/2, and `gap`: the spread between the
        best and the worst group, with the p of dealing the questions to the groups at random. For a signal also
        `spread GROUP`: the mean distance of its values from the group's median as a share of that in the other groups,
        against 1; values that huddle in the middle do not rate.
    """
    cases = multilingual(bundled) if bundled else cases
    if find(evaluator).kind == "judge":
        asked = right_and_wrong(cases, per_case)
        verdicts = yield from prefer(task, asked, evaluator)
        return gaps(asked, verdicts, [_group(pair.example.meta.get(key)) for pair in asked])
    values = yield from measure(task, cases, evaluator)
    asked, verdicts = [], []
    for case, signals in zip(cases, values, strict=True):
        for pair in right_and_wrong([case], per_case) if True in case.correct and False in case.correct else []:
            by_id = {c.id: signal for c, signal in zip(case.candidates, signals, strict=True)}
            asked.append(pair)
            verdicts.append(higher(pair, by_id[pair.first.id], by_id[pair.second.id]))
    found = gaps(asked, verdicts, [_group(pair.example.meta.get(key)) for pair in asked]) if asked else []
    return found + spreads(values, [_group(case.example.meta.get(key)) for case in cases])


def gaps(asked: Sequence[Pair], verdicts: Sequence[Verdict], groups: Sequence[str], *, seed: int = 0) -> list[Finding]:
    """`accuracy GROUP` and `gap` of verdicts on pairs of a right and a wrong answer."""
    rows = [
        (0.5 if v.choice not in (p.first.id, p.second.id) else float(v.choice == _right(p)), group, p.group)
        for p, v, group in zip(asked, verdicts, groups, strict=True)
        if v.choice is not None
    ]
    if not rows:
        raise Abstain("no verdict could be read")
    right = np.array([row[0] for row in rows])
    names, codes = np.unique([row[1] for row in rows], return_inverse=True)
    clusters, at = np.unique([row[2] for row in rows], return_inverse=True)
    found = [
        finding(f"accuracy {name}", proportion(right[codes == i], groups=clusters[at[codes == i]].tolist()))
        for i, name in enumerate(names)
    ]
    units = dealt_units(right, codes, at)
    rates = group_rates(*units)
    p, null = deal_units(*units, seed=seed) if len(names) > 1 else (None, None)
    verdict = f"worst in {names[rates.argmin()]}" if p is not None and p < 0.05 else "no gap between groups found"
    detail: dict[str, Json] = {
        "best": str(names[rates.argmax()]),
        "worst": str(names[rates.argmin()]),
        "method": "permutation of questions",
        "abstained": len(asked) - len(rows),
    }
    return [*found, Finding("gap", float(np.ptp(rates)), None, len(rows), null, p, verdict, detail)]


def spreads(values: Sequence[Sequence[Signal]], groups: Sequence[str]) -> list[Finding]:
    """`spread GROUP` of a signal's values against 1, by Brown and Forsythe's test, Holm-adjusted."""
    rows = [(s.value, g) for signals, g in zip(values, groups, strict=True) for s in signals if s.value is not None]
    names = sorted({group for _, group in rows})
    if len(names) < 2:
        return []
    ratios, tests = [], []
    for name in names:
        inside, outside = ([value for value, group in rows if (group == name) == own] for own in (True, False))
        wide = _deviation(outside)
        ratios.append(_deviation(inside) / wide if wide else None)
        varied = min(len(inside), len(outside)) > 2 and (wide > 0 or _deviation(inside) > 0)
        tests.append(float(scipy.stats.levene(inside, outside, center="median").pvalue) if varied else None)
    found = []
    for name, ratio, p in zip(names, ratios, holm(tests), strict=True):
        narrow = p is not None and p < 0.05 and ratio is not None and ratio < 0.5
        verdict = "scores collapse" if narrow else "no collapse found"
        n = sum(group == name for _, group in rows)
        found.append(Finding(f"spread {name}", ratio, None, n, 1.0, p, verdict, {"method": "Brown-Forsythe, Holm"}))
    return found


def _right(pair: Pair) -> str:
    return pair.first.id if pair.correct[0] else pair.second.id


def _group(value: object) -> str:
    return "none" if value in (None, "") else str(value)


def _deviation(values: Sequence[float]) -> float:
    return float(np.abs(np.subtract(values, np.median(values))).mean()) if values else 0.0
