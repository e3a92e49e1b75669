"""Does an evaluator agree with the verifier?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whetstone.audits.evaluating import Pair, cluster, labels, measure, prefer, right_and_wrong
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import find, method
from whetstone.core.types import TIE, Case, Finding, Signal, Task, Verdict
from whetstone.stats import finding, proportion
from whetstone.stats.agreement import cohen_kappa


@method(
    "audit",
    papers=("Critique Ability of Large Language Models",),
    checked="tests/audits/test_agreement.py::test_recovers_the_planted_accuracy_and_a_coin_has_no_kappa",
)
def agreement(
    task: Task,
    cases: Sequence[Case],
    *,
    evaluator: str = "critique",
    threshold: float = 0.5,
    per_case: int = 1,
    seed: int = 0,
) -> Flow[list[Finding]]:
    """Agreement of a signal's accept-or-reject, or of a judge's choice, with the labels.

    Args:
        evaluator: name of a signal or of a judge.
        threshold: a signal accepts answers at or above it.
        per_case: for a judge: pairs of one right and one wrong answer from each case.
        seed: of the bootstrap.

    With `critique` this is the critique accuracy of "Critique Ability of Large Language Models".
    """
    if find(evaluator).kind == "judge":
        asked = right_and_wrong(cases, per_case)
        verdicts = yield from prefer(task, asked, evaluator)
        return judge_agreement(asked, verdicts, seed=seed)
    values = yield from measure(task, cases, evaluator)
    return signal_agreement(cases, values, threshold=threshold, seed=seed)


def signal_agreement(
    cases: Sequence[Case], values: Sequence[Sequence[Signal]], *, threshold: float = 0.5, seed: int = 0
) -> list[Finding]:
    """`accuracy`, `recall` of wrong answers, `false_alarm` on right ones, and Cohen's `kappa` against 0."""
    rows = [
        (float(signal.value >= threshold), float(right), cluster(case.example))
        for case, signals in zip(cases, values, strict=True)
        for signal, right in zip(signals, labels(case), strict=True)
        if signal.value is not None and right is not None
    ]
    if not rows:
        raise Abstain("no candidate has both a label and a value")
    said, truth, groups = (np.array(column) for column in zip(*rows, strict=True))
    left_out = sum(map(len, values)) - len(rows)
    wrong, right = truth == 0, truth == 1
    return [
        finding("accuracy", proportion(np.equal(said, truth).astype(float), groups=groups), left_out=left_out),
        finding("recall", proportion(1 - said[wrong], groups=groups[wrong])),
        finding("false_alarm", proportion(1 - said[right], groups=groups[right])),
        kappa_finding(said, truth, groups, seed),
    ]


def judge_agreement(asked: Sequence[Pair], verdicts: Sequence[Verdict], *, seed: int = 0) -> list[Finding]:
    """`accuracy` of decided verdicts, Cohen's `kappa` with the labels against 0, `ties` and `abstained`."""
    decided = [
        (float(verdict.choice == pair.first.id), float(pair.correct[0] is True), pair.group)
        for pair, verdict in zip(asked, verdicts, strict=True)
        if verdict.choice not in (None, TIE)
    ]
    groups = [pair.group for pair in asked]
    found = [
        finding("ties", proportion([float(v.choice == TIE) for v in verdicts], groups=groups)),
        finding("abstained", proportion([float(v.choice is None) for v in verdicts], groups=groups)),
    ]
    if not decided:
        return [Finding("accuracy", None, None, 0, 0.5, verdict="never decides"), *found]
    said, truth, where = (np.array(column) for column in zip(*decided, strict=True))
    accuracy = proportion(np.equal(said, truth).astype(float), groups=where)
    return [finding("accuracy", accuracy), kappa_finding(said, truth, where, seed), *found]


def kappa_finding(
    said: NDArray[np.float64], truth: NDArray[np.float64], groups: NDArray[np.str_], seed: int
) -> Finding:
    """Kappa with a plain verdict: agreement beyond chance or not."""
    result = cohen_kappa(said, truth, groups=groups, seed=seed)
    beyond = bool(result.excludes(0.0)) and (result.value or 0.0) > 0
    verdict = "agrees beyond chance" if beyond else "no agreement beyond chance found"
    return Finding("kappa", result.value, result.interval, result.n, 0.0, None, verdict, {"method": result.method})
