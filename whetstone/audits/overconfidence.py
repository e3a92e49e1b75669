"""Does stated confidence match competence, and where does it not?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import cluster, labels, mean_test, measure
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Signal, Task
from whetstone.stats import HypothesisTest, finding, holm


@method(
    "audit",
    papers=("The Confidence-Competence Gap in Large Language Models: A Cognitive Study",),
    checked="tests/audits/test_overconfidence.py::test_finds_the_planted_gap_and_none_in_an_honest_model",
)
def overconfidence(
    task: Task, cases: Sequence[Case], *, signal: str = "verbalized", threshold: float = 0.5
) -> Flow[list[Finding]]:
    """Mean confidence minus accuracy, over all answers and at each level of difficulty.

    Args:
        signal: name of a signal of kind probability: `verbalized` is asked after answering, `p_ik` before.
        threshold: at or above it an answer counts as confident in the quadrants.

    Unskilled models that are sure of themselves show a gap that grows with difficulty (the Dunning-Kruger pattern of
    "The Confidence-Competence Gap in Large Language Models: A Cognitive Study").
    """
    values = yield from measure(task, cases, signal)
    return gaps(cases, values, threshold=threshold)


def gaps(cases: Sequence[Case], values: Sequence[Sequence[Signal]], *, threshold: float = 0.5) -> list[Finding]:
    """The audit of signals, one for each candidate of each case.

    Returns:
        `gap` and, when there are several levels, `gap LEVEL` for each, all against 0, with p adjusted by Holm over the
        levels. The detail of `gap` counts the four quadrants of confident or not and right or wrong.
    """
    rows = [
        (signal.value, float(right), cluster(case.example), case.example.level)
        for case, signals in zip(cases, values, strict=True)
        for signal, right in zip(signals, labels(case), strict=True)
        if signal.value is not None and right is not None and signal.kind != "score"
    ]
    if not rows:
        raise Abstain("no candidate has both a label and a probability")
    left_out = sum(map(len, values)) - len(rows)
    quadrants = {
        f"{'confident' if sure else 'unsure'}_{'right' if right else 'wrong'}": sum(
            (value >= threshold) == sure and bool(truth) == right for value, truth, _, _ in rows
        )
        for sure in (True, False)
        for right in (True, False)
    }
    whole = gap_test(rows)
    found = [finding("gap", whole, verdict=told(whole, whole.p), left_out=left_out, **quadrants)]
    levels = sorted({row[3] for row in rows if row[3]}, key=lambda level: (len(level), level))
    if len(levels) < 2:
        return found
    tests = [gap_test([row for row in rows if row[3] == level]) for level in levels]
    for level, test, p in zip(levels, tests, holm([test.p for test in tests]), strict=True):
        shown = HypothesisTest(test.effect, p, 0.0, f"{test.method}, Holm")
        found.append(finding(f"gap {level}", shown, verdict=told(test, p)))
    return found


def gap_test(rows: Sequence[tuple[float, float, str, str]]) -> HypothesisTest:
    """Mean confidence minus accuracy, by whole clusters."""
    return mean_test([value - right for value, right, _, _ in rows], [group for _, _, group, _ in rows])


def told(test: HypothesisTest, p: float | None) -> str:
    """The verdict in words."""
    if p is None or p >= 0.05:
        return "no gap found"
    return "overconfident" if (test.effect.value or 0.0) > 0 else "underconfident"
