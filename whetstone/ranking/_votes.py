"""Human and judge votes on the same comparisons, put side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking._davidson import Codes, Rows, rows_of
from whetstone.ranking._misread import Misread
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


def misread(comparisons: Comparisons, items: Items, judges: tuple[int, ...], smoothing: float) -> tuple[Misread, Codes]:
    """Rows of human votes, of judge votes on unseen items, and of pairs of votes; and the item of each row.

    A judge's vote on an item with several human votes stands once for each, and all of these weigh as one vote.
    """
    rows = rows_of(comparisons)
    shown = np.ones(len(comparisons)) if comparisons.left_first is None else np.where(comparisons.left_first, 1.0, -1.0)
    truths, outcomes = (
        tuple(o for o in (1, 0, -1) if o or (comparisons.outcome[part] == 0).any())
        for part in (items.by_human, slice(None))
    )
    towards_low = items.sign * comparisons.outcome
    humans, machines = np.flatnonzero(items.by_human), np.flatnonzero(~items.by_human)
    by_item = np.argsort(items.item[humans], kind="stable")
    first = np.searchsorted(items.item[humans][by_item], items.item[machines])
    number = np.bincount(items.item[humans], minlength=len(items.left))[items.item[machines]]
    seen = np.repeat(machines, number)
    within = np.arange(len(seen)) - np.repeat(np.cumsum(number) - number, number)
    partner = humans[by_item[np.repeat(first, number) + within]]
    blind = machines[number == 0]
    vote = np.concatenate([humans, blind, seen])
    said = np.concatenate([humans, np.full(len(blind), -1), partner])
    flip = shown[vote] < 0
    heard = np.where(said >= 0, towards_low[said] * items.sign[vote] * shown[vote], 0)
    weight = rows.weight[vote].copy()
    weight[len(humans) + len(blind) :] /= np.repeat(number, number)
    code = np.full(len(comparisons.judges), -1)
    code[list(judges)] = np.arange(len(judges))
    judge = code[np.asarray(comparisons.judge)[vote]]
    return (
        Misread(
            rows=_shown(rows.k, rows.left[vote], rows.right[vote], flip, weight),
            truths=truths,
            outcomes=outcomes,
            said=np.where(said >= 0, _index(truths)[heard.astype(np.int64)], -1),
            judge=judge,
            voted=np.where(judge >= 0, _index(outcomes)[(comparisons.outcome[vote] * shown[vote]).astype(np.int64)], 0),
            judges=len(judges),
            smoothing=smoothing,
        ),
        items.item[vote],
    )


def _shown(k: int, left: Codes, right: Codes, flip: NDArray[np.bool_], weight: Floats) -> Rows:
    nothing = np.zeros(len(left))
    return Rows(k, np.where(flip, right, left), np.where(flip, left, right), nothing, nothing, weight)


def _index(outcomes: tuple[int, ...]) -> Codes:
    """[3] position in `outcomes` of the outcomes 0, 1 and -1."""
    return np.asarray([outcomes.index(o) if o in outcomes else -1 for o in (0, 1, -1)])
