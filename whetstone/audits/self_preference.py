"""Does a judge favour one system's answers beyond their merit?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whetstone.audits.evaluating import Pair, pairs, prefer, share_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import TIE, Case, Finding, Task, Verdict
from whetstone.stats import HypothesisTest, clustered_mean, finding, paired_permutation


@method(
    "audit",
    papers=("Beyond the Surface: Measuring Self-Preference in LLM Judgments",),
    checked="tests/audits/test_self_preference.py::test_finds_the_planted_bias_and_none_in_a_fair_judge_of_a_better_system",
)
def self_preference(
    task: Task, cases: Sequence[Case], *, own: str = "", judge: str = "pairwise_judge", per_case: int = 1
) -> Flow[list[Finding]]:
    """Win rate that a judge gives to its own answers minus the win rate that the labels give them.

    Args:
        own: the `source` of the judge's own answers; empty takes the first candidate's source.
        judge: name of the judge or of a signal.
        per_case: pairs of one own and one other answer from each case.

    The labels separate being better from being favoured: a judge that prefers its own answers because they are right
    has a difference of 0.
    """
    mine = own or next((c.source for case in cases for c in case.candidates), "")
    asked = pairs(cases, per_case, lambda pair: None not in pair.correct and is_mixed(pair, mine))
    if not asked:
        raise Abstain(f"no case has labelled answers of {mine!r} and of another source")
    verdicts = yield from prefer(task, asked, judge)
    return [bias_score(asked, verdicts, mine)]


def is_mixed(pair: Pair, own: str) -> bool:
    """Whether exactly one of two answers is the judge's own."""
    return (pair.first.source == own) != (pair.second.source == own)


def bias_score(asked: Sequence[Pair], verdicts: Sequence[Verdict], own: str) -> Finding:
    """`self_preference`: the DBG score, in win rate from -1 to 1, against 0; ties of either side count 1/2."""
    rows: list[tuple[float, float, str]] = []
    for pair, verdict in zip(asked, verdicts, strict=True):
        mine, other = (pair.first, pair.second) if pair.first.source == own else (pair.second, pair.first)
        judged = share_of(verdict.choice, mine.id)
        better = {pair.first.id: pair.correct[0], pair.second.id: pair.correct[1]}
        gold = TIE if better[mine.id] == better[other.id] else mine.id if better[mine.id] else other.id
        if judged is not None:
            rows.append((judged, share_of(gold, mine.id) or 0.0, pair.group))
    judged_rate, gold_rate = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    groups = [row[2] for row in rows]
    test = paired_permutation(judged_rate, gold_rate, groups=groups)
    effect = clustered_mean(judged_rate - gold_rate, groups)
    found = test.p is not None and test.p < 0.05
    favours = "favours its own answers" if (effect.value or 0.0) > 0 else "disfavours its own answers"
    return finding(
        "self_preference",
        HypothesisTest(effect, test.p, 0.0, test.method),
        verdict=favours if found else "no self-preference found",
        own=own,
        judged=float(judged_rate.mean()),
        gold=float(gold_rate.mean()),
        abstained=len(asked) - len(rows),
    )
