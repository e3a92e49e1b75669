"""Does the order in which answers are shown decide?"""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.audits.evaluating import pairs, prefer, preference, share_of
from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow
from whetstone.core.registry import method
from whetstone.core.types import Case, Finding, Task, Verdict
from whetstone.stats import finding, proportion


@method("audit", checked="tests/audits/test_position.py::test_finds_the_planted_bias_and_none_in_fair_judges")
def position(
    task: Task, cases: Sequence[Case], *, judge: str = "pairwise_judge", per_case: int = 1
) -> Flow[list[Finding]]:
    """Preference of a judge for the answer shown first, from its verdicts in both orders.

    Args:
        judge: name of a judge that asks in both orders.
        per_case: pairs of each case.

    Source: the conflict rate of "Large Language Models are not Fair Evaluators" is 1 - `order_consistency`.
    """
    asked = pairs(cases, per_case)
    verdicts = yield from prefer(task, asked, judge)
    if all(not verdict.orders for verdict in verdicts):
        raise Abstain(f"{judge} does not show its verdicts in the two orders")
    return position_bias(verdicts, [pair.group for pair in asked])


def position_bias(verdicts: Sequence[Verdict], groups: Sequence[str]) -> list[Finding]:
    """The audit of verdicts with `orders`.

    Returns:
        `first_position`: share of single-order choices for the answer shown first, ties counting 1/2, averaged over
        the two orders of each pair, against 1/2. `order_consistency`: share of pairs with the same choice in both
        orders. `unreadable`: share of pairs with an order that could not be read.
    """
    shares: list[float | None] = []
    same: list[float] = []
    where: list[str] = []
    for verdict, group in zip(verdicts, groups, strict=True):
        first = [share_of(order.choice, order.shown[0]) for order in verdict.orders]
        known = [share for share in first if share is not None]
        if len(known) < 2:
            shares.append(None)
            continue
        shares.append(sum(known) / len(known))
        same.append(float(len({order.choice for order in verdict.orders}) == 1))
        where.append(group)
    told = ("prefers the answer shown first", "prefers the answer shown second", "no preference for a position found")
    unread = proportion([float(share is None) for share in shares], groups=groups)
    return [
        preference("first_position", shares, groups, told),
        finding("order_consistency", proportion(same, groups=where)),
        finding("unreadable", unread),
    ]
