"""Does length decide where quality does not?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import Pair, pairs, prefer, preference, share_of
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task, Verdict


@method("audit", checked="tests/audits/test_length.py::test_finds_the_planted_bias_and_none_in_fair_judges")
def length(
    task: Task, cases: Sequence[Case], *, evaluator: str = "pairwise_judge", per_case: int = 1
) -> Flow[list[Finding]]:
    """Preference of a judge or signal for the longer of two answers that are both right or both wrong.

    Args:
        evaluator: name of a judge or of a signal (which prefers its higher value).
        per_case: pairs of each case.

    Pairs without labels take part, and are counted, since their quality is not held fixed.
    """
    asked = pairs(cases, per_case, equally_good)
    verdicts = yield from prefer(task, asked, evaluator)
    return [length_bias(asked, verdicts)]


def equally_good(pair: Pair) -> bool:
    """Whether two answers differ in length but not, as far as is known, in correctness."""
    return len(pair.first.text) != len(pair.second.text) and pair.correct[0] == pair.correct[1]


def length_bias(asked: Sequence[Pair], verdicts: Sequence[Verdict]) -> Finding:
    """`longer_answer`: share of pairs in which the longer answer was chosen, ties counting 1/2, against 1/2."""
    shares = [
        share_of(verdict.choice, max(pair.first, pair.second, key=lambda c: len(c.text)).id)
        for pair, verdict in zip(asked, verdicts, strict=True)
    ]
    told = ("prefers longer answers", "prefers shorter answers", "no preference for a length found")
    unlabelled = sum(pair.correct[0] is None for pair in asked)
    return preference("longer_answer", shares, [pair.group for pair in asked], told, unlabelled=unlabelled)
