"""Which of a judge's verdicts should a person look at?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import scipy

from whetstone.audits.evaluating import Pair, pairs, prefer, share_of
from whetstone.audits.recorded import difference
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import TIE, Case, Finding, Task, Verdict
from whetstone.signals.balanced_judge import position_entropy
from whetstone.stats import HypothesisTest, finding, proportion


@method(
    "audit",
    papers=("Large Language Models are not Fair Evaluators",),
    checked="tests/audits/test_review_queue.py::test_the_queue_holds_the_verdicts_that_a_position_bias_spoiled",
)
def review_queue(
    task: Task, cases: Sequence[Case], *, judge: str = "balanced_judge", share: float = 0.2, per_case: int = 1
) -> Flow[list[Finding]]:
    """Conflicts between the orders, calibrated win, tie and loss rates, and the queue of pairs for a person.

    Args:
        judge: name of a judge that shows its single verdicts in both orders.
        share: part of the pairs that goes to a person: those whose single verdicts are most diverse.
        per_case: pairs of each case.
    """
    asked = pairs(cases, per_case)
    verdicts = yield from prefer(task, asked, judge)
    if all(not verdict.orders for verdict in verdicts):
        raise Abstain(f"{judge} does not show its verdicts in the two orders")
    return queue(asked, verdicts, share=share)


def queue(asked: Sequence[Pair], verdicts: Sequence[Verdict], *, share: float = 0.2) -> list[Finding]:
    """The audit of verdicts with `orders`.

    Returns:
        `conflict`: share of pairs whose two orders lead to different outcomes (the majority of each order's single
        verdicts); `win`, `tie` and `loss` of the answers named first; `review`: mean balanced position diversity
        entropy (nats) of the queue, whose pairs the detail lists, most diverse first. With labels also `caught`: error
        rate in the queue minus that outside, against 0; and `reviewed`: accuracy when people answer the queue, with the
        accuracy without them and with as many pairs drawn at random in its detail.
    """
    rows = [
        (entropy, pair, verdict)
        for pair, verdict in zip(asked, verdicts, strict=True)
        if verdict.choice is not None and (entropy := position_entropy(verdict)) is not None
    ]
    if not rows:
        raise Abstain("no pair has readable verdicts in both orders")
    groups = [pair.group for _, pair, _ in rows]
    conflict = [float(_outcome(v, pair.first.id) != _outcome(v, pair.second.id)) for _, pair, v in rows]
    shares = [share_of(v.choice, pair.first.id) for _, pair, v in rows]
    found = [finding("conflict", proportion(conflict, groups=groups), left_out=len(asked) - len(rows))]
    for name, value in (("win", 1.0), ("tie", 0.5), ("loss", 0.0)):
        found.append(finding(name, proportion([float(s == value) for s in shares], groups=groups)))
    order = sorted(range(len(rows)), key=lambda i: -rows[i][0])
    first = order[: max(1, round(share * len(rows)))]
    chosen = set(first)
    listed = [f"{rows[i][1].example.id}: {rows[i][1].first.id} and {rows[i][1].second.id}" for i in first]
    mean = float(np.mean([rows[i][0] for i in first]))
    found.append(
        Finding("review", mean, None, len(first), verdict=f"{len(first)} pairs for a person", detail={"queue": listed})
    )
    known = [i for i, (_, pair, _) in enumerate(rows) if set(pair.correct) == {True, False}]
    wrong = np.array([float(not _is_right(rows[i][1], rows[i][2])) for i in known])
    inside = np.array([float(i in chosen) for i in known])
    codes = np.unique([groups[i] for i in known], return_inverse=True)[1] if known else np.zeros(0, np.intp)
    test = difference(np.where(inside == 1, wrong, 1 - wrong), inside, codes)
    if test:
        table = [[int(((inside == i) & (wrong == w)).sum()) for w in (1, 0)] for i in (1, 0)]
        p = float(scipy.stats.fisher_exact(table).pvalue)
        told = (
            ("the queue catches errors" if (test.effect.value or 0) > 0 else "the queue misses errors")
            if p < 0.05
            else ""
        )
        shown = HypothesisTest(test.effect, p, 0.0, "Fisher's exact")
        found.append(finding("caught", shown, verdict=told or "no difference in errors found"))
        after = np.where(inside == 1, 1.0, 1 - wrong)
        alone = float(1 - wrong.mean())
        spread = alone + (1 - alone) * float(inside.mean())
        found.append(finding("reviewed", proportion(after, groups=codes), alone=alone, at_random=spread))
    return found


def _outcome(verdict: Verdict, shown_first: str) -> str | None:
    """What most single verdicts chose when this answer was shown first; a tie when several outcomes lead."""
    counts = Counter(o.choice for o in verdict.orders if o.choice is not None and o.shown[0] == shown_first)
    leaders = [name for name, n in counts.items() if n == max(counts.values())]
    return None if not leaders else leaders[0] if len(leaders) == 1 else TIE


def _is_right(pair: Pair, verdict: Verdict) -> bool:
    return verdict.choice == (pair.first.id if pair.correct[0] else pair.second.id)
