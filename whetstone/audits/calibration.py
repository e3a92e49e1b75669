"""Is a signal's value worth anything, and does it mean what it says?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import cluster, labels, measure
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Signal, Task
from whetstone.stats import auroc_test, brier, ece_test, finding


@method("audit", checked="tests/audits/test_calibration.py::test_finds_the_planted_calibration_and_nothing_in_noise")
def calibration(
    task: Task, cases: Sequence[Case], *, signal: str = "p_true", bins: int = 10, seed: int = 0
) -> Flow[list[Finding]]:
    """How well a signal separates right from wrong answers, and how well calibrated it is.

    Args:
        signal: name of the signal.
        bins: of equal width, for the calibration error.
        seed: of the bootstrap.
    """
    values = yield from measure(task, cases, signal)
    return calibrated(cases, values, bins=bins, seed=seed)


def calibrated(
    cases: Sequence[Case], values: Sequence[Sequence[Signal]], *, bins: int = 10, seed: int = 0
) -> list[Finding]:
    """The audit of signals, one for each candidate of each case, against the cases' labels.

    Returns:
        `auroc` against 1/2; for probabilities also `ece` against perfect calibration and `brier`. Answers to one
        question are one cluster. Candidates without label or value are left out and counted.
    """
    rows = [
        (signal, float(right), cluster(case.example))
        for case, signals in zip(cases, values, strict=True)
        for signal, right in zip(signals, labels(case), strict=True)
        if signal.value is not None and right is not None
    ]
    left_out = sum(map(len, values)) - len(rows)
    if not rows:
        raise Abstain("no candidate has both a label and a value")
    scores = [signal.value or 0.0 for signal, _, _ in rows]
    right, groups = [right for _, right, _ in rows], [group for _, _, group in rows]
    ranked = auroc_test(scores, right, groups=groups)
    area = ranked.effect.value
    if area is None or ranked.p is None or ranked.p >= 0.05:
        verdict = "does not separate right from wrong"
    else:
        verdict = "separates right from wrong" if area > 0.5 else "is higher on wrong answers"
    found = [finding("auroc", ranked, verdict=verdict, left_out=left_out)]
    if all(signal.kind in ("probability", "binary") for signal, _, _ in rows):
        error = ece_test(scores, right, bins=bins, groups=groups, seed=seed)
        told = "is calibrated, as far as can be told" if error.p is None or error.p >= 0.05 else "is not calibrated"
        found.append(finding("ece", error, verdict=told, left_out=left_out))
        found.append(finding("brier", brier(scores, right, groups=groups, seed=seed), left_out=left_out))
    return found
