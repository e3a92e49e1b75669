"""Graded answers into measures: the one place where the app and the statistics meet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from whetstone.app.grading import Graded
from whetstone.app.result import LevelAccuracy, Measure, Paired
from whetstone.stats.intervals import clustered_mean, proportion
from whetstone.stats.multiple import holm
from whetstone.stats.paired import mcnemar, paired_bootstrap

T = TypeVar("T")
ALPHA = 0.05


def share(values: Sequence[bool | float | None], groups: Sequence[Hashable] | None = None) -> Measure:
    """Mean of values within [0, 1]; unknown ones are left out and n says how many were not."""
    kept, clusters = known(values, groups)
    return Measure.of(proportion(kept, groups=clusters))


def average(values: Sequence[float | None], groups: Sequence[Hashable] | None = None) -> Measure:
    """Mean of any numbers; unknown ones are left out and n says how many were not."""
    return Measure.of(clustered_mean(*known(values, groups)))


def known(
    values: Sequence[bool | float | None], groups: Sequence[Hashable] | None
) -> tuple[list[float], list[Hashable] | None]:
    """Values that are not None, with their groups."""
    keep = [i for i, value in enumerate(values) if value is not None]
    return [float(values[i] or 0.0) for i in keep], None if groups is None else [groups[i] for i in keep]


def by_level(items: Iterable[T], level: Callable[[T], str], levels: Sequence[str]) -> list[tuple[str, list[T]]]:
    """("", all items), then the items of each level; just the first where the task grades no difficulty."""
    listed = list(items)
    return [("", listed), *((name, [item for item in listed if level(item) == name]) for name in levels)]


def accuracy(graded: Sequence[Graded], levels: Sequence[str]) -> tuple[LevelAccuracy, ...]:
    """Accuracy and, of the right answers, the share with every step right: over all and by level."""
    return tuple(
        LevelAccuracy(
            name,
            share([g.correct for g in part], [g.group for g in part]),
            process=of_right([(g.correct, g.process, g.group) for g in part]),
        )
        for name, part in by_level(graded, lambda g: g.level, levels)
    )


def of_right(items: Sequence[tuple[bool | None, bool | None, Hashable]]) -> Measure | None:
    """Of (right, steps right, group): the share of right ones whose steps are right; None if steps go unchecked."""
    checked = [(process, group) for right, process, group in items if right and process is not None]
    return share([p for p, _ in checked], [g for _, g in checked]) if checked else None


def paired(before: Sequence[Graded], after: Sequence[Graded], level: str = "") -> Paired:
    """The same questions before and after.

    One answer a question: McNemar's test. Several (more than one seed, or questions in groups): a bootstrap that
    resamples whole groups. Questions that lack a grade on either side are left out of both.
    """
    pairs = matched(before, after)
    left, right = [float(b.correct or 0) for b, _ in pairs], [float(a.correct or 0) for _, a in pairs]
    groups = [b.group for b, _ in pairs]
    clustered = len(set(groups)) < len(groups)
    tested = paired_bootstrap(right, left, groups=groups) if clustered else mcnemar(right, left)
    return Paired(
        level,
        share(left, groups),
        share(right, groups),
        Measure.of(tested.effect),
        tested.p,
        tested.method,
        sum(bool(a.correct) and not b.correct for b, a in pairs),
        sum(bool(b.correct) and not a.correct for b, a in pairs),
    )


def matched(before: Sequence[Graded], after: Sequence[Graded]) -> list[tuple[Graded, Graded]]:
    """Pairs of grades of the same question, in the order of `before`; a repeated id is matched in turn."""
    waiting: dict[str, list[Graded]] = {}
    for a in after:
        waiting.setdefault(a.id, []).append(a)
    pairs = [(b, waiting[b.id].pop(0)) for b in before if waiting.get(b.id)]
    return [(b, a) for b, a in pairs if b.correct is not None and a.correct is not None]


def paired_levels(before: Sequence[Graded], after: Sequence[Graded], levels: Sequence[str]) -> tuple[Paired, ...]:
    """One paired comparison a level; `crossed` where it is raised at the 5 % level after Holm's correction."""
    parts = [
        paired([b for b in before if b.level == level], [a for a in after if a.level == level], level)
        for level in levels
    ]
    adjusted = holm([part.p for part in parts])
    return tuple(with_crossed(part, p) for part, p in zip(parts, adjusted, strict=True))


def with_crossed(pair: Paired, p: float | None) -> Paired:
    """The comparison, with whether it is a raise at p (adjusted or not)."""
    gain = pair.difference.value
    return replace(pair, crossed=gain is not None and p is not None and gain > 0 and p < ALPHA)
