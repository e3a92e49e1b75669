"""Which judge is right how often, unreadable how often, and at what cost?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from whetstone.audits.asking import preferred
from whetstone.audits.evaluating import Pair, right_and_wrong, share_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task, Verdict
from whetstone.stats import finding, paired_permutation, proportion
from whetstone.stats.correlation import spearman


@method(
    "audit",
    papers=("CompassJudger-1: All-in-one Judge Model Helps Model Evaluation and Evolution",),
    checked="tests/audits/test_judge_benchmark.py::test_finds_the_planted_accuracies_and_no_difference_between_twins",
)
def judge_benchmark(
    task: Task,
    cases: Sequence[Case],
    *,
    judges: tuple[str, ...] = ("pairwise_judge", "pointwise", "checklist", "critique"),
    per_case: int = 1,
) -> Flow[list[Finding]]:
    """Accuracy, unreadable share, system ranking and cost of judges on pairs of a right and a wrong answer.

    Args:
        judges: judges and signals, each with settings if wanted: `pointwise:style=analyze_rate`. A signal prefers the
            higher value.
        per_case: pairs of each case.
    """
    asked = right_and_wrong(cases, per_case)
    answers = yield from gather(preferred(task, asked, judge) for judge in judges)
    verdicts = {judge: [verdict for verdict, _ in one] for judge, one in zip(judges, answers, strict=True)}
    if all(verdict.choice is None for one in verdicts.values() for verdict in one):
        raise Abstain(next(verdict.reason for one in verdicts.values() for verdict in one))
    costs = {judge: fmean(n for _, n in one) for judge, one in zip(judges, answers, strict=True)}
    return benchmarked(asked, verdicts, costs)


def benchmarked(
    asked: Sequence[Pair], verdicts: Mapping[str, Sequence[Verdict]], costs: Mapping[str, float] | None = None
) -> list[Finding]:
    """The audit of verdicts on pairs of which one answer is right.

    Args:
        asked: the pairs.
        verdicts: of each judge on each pair.
        costs: requests a pair of each judge.

    Returns:
        For each judge `accuracy/JUDGE` (a tie counts 1/2; against 1/2), `unreadable/JUDGE` (share of pairs without a
        choice), `systems/JUDGE` (rank correlation over candidate sources between how often a judge prefers a source and
        how often it is right; three sources at least), and for all but the first `accuracy/JUDGE - FIRST` on the pairs
        that both judged.
    """
    groups = [pair.group for pair in asked]
    right = [pair.first.id if pair.correct[0] else pair.second.id for pair in asked]
    found, shares = [], {}
    for judge, given in verdicts.items():
        share = [share_of(verdict.choice, name) for verdict, name in zip(given, right, strict=True)]
        shares[judge] = np.array([np.nan if value is None else value for value in share])
        known = ~np.isnan(shares[judge])
        where = [group for group, is_known in zip(groups, known, strict=True) if is_known]
        test = paired_permutation(shares[judge][known], np.full(known.sum(), 0.5), groups=where)
        accuracy = finding(f"accuracy/{judge}", proportion(shares[judge][known], groups=where))
        reasons = dict(Counter(verdict.reason for verdict in given if verdict.choice is None).most_common(3))
        unread = proportion((~known).astype(float), groups=groups)
        cost = {"requests_per_pair": costs[judge]} if costs else {}
        told = "not measured" if not known.any() else sentence(test.p, accuracy.estimate)
        found += [
            Finding(
                accuracy.name,
                accuracy.estimate,
                accuracy.interval,
                accuracy.n,
                0.5,
                test.p,
                told,
                {**accuracy.detail, **cost},
            ),
            finding(f"unreadable/{judge}", unread, reasons=reasons),
            *source_ranking(judge, asked, shares[judge]),
        ]
    first, *others = shares
    for judge in others:
        both = ~np.isnan(shares[judge]) & ~np.isnan(shares[first])
        where = [group for group, is_known in zip(groups, both, strict=True) if is_known]
        test = paired_permutation(shares[judge][both], shares[first][both], groups=where)
        told = "" if both.any() else "not measured: no pair was judged by both"
        found.append(finding(f"accuracy/{judge} - {first}", test, verdict=told))
    return found


def sentence(p: float | None, accuracy: float | None) -> str:
    """What a judge's accuracy against a coin says."""
    if p is None or p >= 0.05 or accuracy is None:
        return "no better than a coin as far as this shows"
    return "better than a coin" if accuracy > 0.5 else "worse than a coin"


def source_ranking(
    judge: str, asked: Sequence[Pair], shares: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[Finding]:
    """Rank correlation over sources of preference and truth on the same pairs; nothing below three sources."""
    points: dict[str, list[tuple[float, float]]] = {}
    for pair, share in zip(asked, shares.tolist(), strict=True):
        if share != share or pair.first.source == pair.second.source:
            continue
        for candidate, correct in zip((pair.first, pair.second), pair.correct, strict=True):
            points.setdefault(candidate.source, []).append((share if correct else 1 - share, float(bool(correct))))
    if len(points) < 3:
        return []
    preference, truth = zip(
        *((fmean(p), fmean(t)) for p, t in (zip(*one, strict=True) for one in points.values())), strict=True
    )
    ranks = spearman(preference, truth)
    told = "" if ranks.value is not None else "not measured: all sources are equal"
    return [finding(f"systems/{judge}", ranks, verdict=told, sources=list(points))]
