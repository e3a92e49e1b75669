"""Can an evaluator pick the one right answer among several wrong ones?"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import bdtr, bdtrc

from whetstone.audits.evaluating import cluster, labels, measure
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Signal, Task
from whetstone.stats import HypothesisTest, clustered_mean, finding, proportion


@method(
    "audit",
    papers=("Evaluating Robustness of Reward Models for Mathematical Reasoning",),
    checked="tests/audits/test_one_vs_many.py::test_finds_the_planted_rank_and_chance_in_noise",
)
def one_vs_many(task: Task, cases: Sequence[Case], *, signal: str = "critique", most: int = 9) -> Flow[list[Finding]]:
    """Rank of the right answer among wrong ones under a signal: share of first places, and mean reciprocal rank.

    Args:
        signal: name of the signal.
        most: wrong answers of a case that take part, the first ones.

    A case takes part once for its first right answer if it has a wrong one. Only strictly higher counts as first; of
    tied answers the right one gets the worst rank.
    """
    fitting = [trimmed for case in cases if (trimmed := one_right(case, most)) is not None]
    if not fitting:
        raise Abstain("no case has a right and a wrong answer")
    values = yield from measure(task, fitting, signal)
    return ranked(fitting, values)


def one_right(case: Case, most: int) -> Case | None:
    """The case with its first right answer ahead of at most `most` wrong ones; None if it lacks either."""
    marked = list(zip(case.candidates, labels(case), strict=True))
    right = [candidate for candidate, is_right in marked if is_right]
    wrong = [candidate for candidate, is_right in marked if is_right is False][:most]
    if not right or not wrong:
        return None
    return Case(case.example, (right[0], *wrong), (True, *[False] * len(wrong)))


def ranked(cases: Sequence[Case], values: Sequence[Sequence[Signal]]) -> list[Finding]:
    """The audit of values, the right answer's first.

    Returns:
        `first_place` against the share that a random order would give, and `reciprocal_rank`. A case in which the
        right answer or every wrong one has no value is left out and counted.
    """
    ranks: list[int] = []
    chance: list[float] = []
    groups: list[str] = []
    for case, signals in zip(cases, values, strict=True):
        right, *wrong = (signal.value for signal in signals)
        rivals = [value for value in wrong if value is not None]
        if right is None or not rivals:
            continue
        ranks.append(1 + sum(value >= right for value in rivals))
        chance.append(1 / (1 + len(rivals)))
        groups.append(cluster(case.example))
    if not ranks:
        raise Abstain("no case has values for its right answer and for a wrong one")
    first = [float(rank == 1) for rank in ranks]
    null, rate = sum(chance) / len(chance), proportion(first, groups=groups)
    p = binomial_p(ranks.count(1), len(ranks), null)
    better = p < 0.05 and (rate.value or 0.0) > null
    told = "finds the right answer more often than chance" if better else "no better than a random order"
    left_out = len(cases) - len(ranks)
    return [
        finding("first_place", HypothesisTest(rate, p, null, "exact binomial"), verdict=told, left_out=left_out),
        finding("reciprocal_rank", clustered_mean([1 / rank for rank in ranks], groups), left_out=left_out),
    ]


def binomial_p(successes: int, n: int, null: float) -> float:
    """Two-sided exact p-value of a number of successes: twice the smaller tail."""
    below = float(bdtr(successes, n, null))
    above = float(bdtrc(successes - 1, n, null)) if successes else 1.0
    return min(1.0, 2 * min(below, above))
