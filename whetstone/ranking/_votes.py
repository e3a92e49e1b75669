"""Human and judge votes on the same comparisons, put side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking._davidson import Codes, Rows
from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Comparisons

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Items:
    """One row per compared pair of a group: what humans said and what judges said.

    Attributes:
        left, right: [m] codes, left below right.
        group: [m] cluster codes.
        item: [n] the item of each vote, and `sign` [n] 1, or -1 where the vote's left is the item's right.
        by_human: [n] is the vote a human's?
        human, judge: Rows of the mean vote on each item, of weight 1; 0 where nobody voted.
        with_human, with_judge: [m]
    """

    left: Codes
    right: Codes
    group: Codes
    item: Codes
    sign: Floats
    by_human: Bools
    human: Rows
    judge: Rows
    with_human: Bools
    with_judge: Bools


def items_of(comparisons: Comparisons, human: str) -> Items:
    """Match votes: same group and same two systems are the same item.

    Args:
        comparisons: votes with judges and groups; a group is what two votes on the same pair share, such as the prompt.
        human: name of the judge whose votes are the truth, or the beginning of the names of several.

    Raises:
        TaskError: judges or groups are missing, or one of the two kinds of votes is, or no item has both.
    """
    if comparisons.judge is None or comparisons.group is None:
        missing = "judge" if comparisons.judge is None else "group"
        raise TaskError(f"column {missing} is missing: human and judge votes are matched by group, and told by judge")
    k = len(comparisons.names)
    by_human = np.asarray([name.startswith(human) for name in comparisons.judges])[comparisons.judge]
    left, right = comparisons.left.astype(np.int64), comparisons.right.astype(np.int64)
    sign = np.where(left < right, 1.0, -1.0)
    low, high = np.minimum(left, right), np.maximum(left, right)
    group = comparisons.group.astype(np.int64)
    keys, first, item = np.unique((group * k + low) * k + high, return_index=True, return_inverse=True)
    weight = np.ones(len(left)) if comparisons.weight is None else comparisons.weight
    outcome = sign * comparisons.outcome
    sides = []
    for votes in (by_human, ~by_human):
        total = np.bincount(item[votes], weight[votes], len(keys))
        there = total > 0
        mean = np.bincount(item[votes], (weight * outcome)[votes], len(keys)) / np.where(there, total, 1)
        tie = np.bincount(item[votes], (weight * (outcome == 0))[votes], len(keys)) / np.where(there, total, 1)
        sides.append((Rows(k, low[first], high[first], mean, tie, there.astype(float)), there))
    (human_rows, with_human), (judge_rows, with_judge) = sides
    found = Items(
        *(low[first], high[first], group[first], item, sign, by_human),
        *(human_rows, judge_rows, with_human, with_judge),
    )
    if not with_human.any() or not with_judge.any():
        who = f"no judge is called {human!r}" if not with_human.any() else f"all judges are called {human!r}"
        raise TaskError(f"{who}: name the judge whose votes are the truth; judges: {', '.join(comparisons.judges[:8])}")
    if not (with_human & with_judge).any():
        raise TaskError("no comparison has both a human and a judge vote, so the judge's error is unknown")
    return found
