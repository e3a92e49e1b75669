"""Mixtures of data sets: lessons drawn by share, ratings of what a data set does for a target, data saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from whetstone.core.types import Finding, Task
from whetstone.loops._judging import Judged
from whetstone.loops._lessons import Lesson, lesson_of

SHARES = {"helpful": 1.0, "somewhat helpful": 0.3, "no clear effect": 0.03, "harmful": 0.0}


def rated(change: Finding) -> str:
    """How helpful a patch was: clearly better or worse by its interval, or better as far as seen, or neither."""
    low, high = change.interval or (0.0, 0.0)
    if low > 0:
        return "helpful"
    return "harmful" if high < 0 else "somewhat helpful" if (change.estimate or 0) > 0.01 else "no clear effect"


def saving(chosen: Sequence[float], proportional: Sequence[float], step: int) -> Finding:
    """Lessons until the proportional mixture's best accuracy, over lessons until the chosen mixture has as much."""
    best = max(proportional)
    slow = (proportional.index(best) + 1) * step
    fast = next(((i + 1) * step for i, value in enumerate(chosen) if value >= best), None)
    detail = {"accuracy": best, "proportional": slow, "mixture": fast}
    return Finding("data_saving", None if fast is None else slow / fast, None, slow, 1.0, detail=detail)


def data_sets(task: Task, split: str) -> dict[str, list[Lesson]]:
    """Lessons of a split by data set."""
    found: dict[str, list[Lesson]] = {}
    for example in task.examples(split):
        lesson = lesson_of(example)
        found.setdefault(lesson.dataset, []).append(lesson)
    return found


def drawn(pool: Mapping[str, Sequence[Lesson]], shares: Mapping[str, float], n: int, rng: Random) -> list[Lesson]:
    """`n` lessons, each of a data set drawn by its share."""
    names = rng.choices(list(shares), list(shares.values()), k=n)
    return [rng.choice(pool[name]) for name in names]


def share(judged: Sequence[Judged], wanted: Sequence[str], names: Sequence[str]) -> float:
    """Share of right verdicts among the items of the wanted data sets."""
    rows = [row.right for row, name in zip(judged, names, strict=True) if name in wanted]
    return sum(rows) / len(rows)
