"""Choose several items from many rankings, with a least number from each group where the rankings may be biased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import method
from whetstone.ranking.comparisons import Rankings
from whetstone.ranking.rules.committee import RULES, greedy, seen, value


@dataclass(frozen=True)
class Committee:
    """The items chosen, and what the bounds cost or won.

    Attributes:
        chosen: names, in the order in which they were chosen.
        score: of the chosen by the rule, on the rankings at hand.
        unconstrained: names chosen without bounds; `unconstrained_score` is theirs.
        ratio: score / unconstrained_score: what the bounds cost if the rankings are taken at their word.
        true_ratio: score of the chosen on the unbiased rankings, as a share of the best choice there; None without.
        unconstrained_true_ratio: the same for the choice without bounds.
    """

    chosen: tuple[str, ...]
    score: float
    unconstrained: tuple[str, ...]
    unconstrained_score: float
    ratio: float | None
    true_ratio: float | None = None
    unconstrained_true_ratio: float | None = None


@method(
    "ranking",
    papers=(
        "Subset Selection Based On Multiple Rankings in the Presence of Bias: Effectiveness of Fairness Constraints "
        "for Multiwinner Voting Score Functions",
    ),
    checked="tests/ranking/test_multiwinner.py::test_bounds_win_back_the_quality_that_biased_rankings_lose",
)
def multiwinner(
    rankings: Rankings,
    size: int,
    *,
    rule: str = "chamberlin_courant",
    groups: Mapping[str, str] | None = None,
    at_least: Mapping[str, int] | None = None,
    unbiased: Rankings | None = None,
) -> Committee:
    """Choose a set of items by a submodular score over rankings, greedily, with lower bounds for groups.

    Args:
        rankings: of the items; one that is not ranked stands below all that are.
        size: number of items to choose.
        rule: "borda" (k-Borda), "bloc" (top `size` of each ranking), "sntv" (first places), "chamberlin_courant" (each
            ranking counts its best chosen item by Borda points), "coverage" (rankings with a chosen item in their top
            `size`), "harmonic" (proportional: the j-th such item counts 1/j).
        groups: name of an item -> its group.
        at_least: group -> number of its items that must be chosen.
        unbiased: rankings without the bias, where they are known (a simulation): shows what the bounds win.

    Without bounds the greedy choice has at least 1 - 1/e of the best score, and with them 1/2; for "borda", "bloc" and
    "sntv" it is the best. Of equal items the first by position is taken.

    Raises:
        ConfigError: an unknown rule or group, bounds that do not fit.

    Source: "Subset Selection Based On Multiple Rankings in the Presence of Bias".
    """
    if rule not in RULES:
        raise ConfigError(f"no rule is called {rule!r}; known: {', '.join(RULES)}")
    if not 1 <= size <= len(rankings.names):
        raise ConfigError(f"size is {size}; there are {len(rankings.names)} items to choose from")
    group, need = _bounds(rankings.names, size, groups or {}, at_least or {})
    utility, weigh = seen(rankings, rule, size), RULES[rule][1](size)
    fair = greedy(utility, weigh, group, need)
    free = greedy(utility, weigh, group, np.zeros_like(need))
    total, free_total = value(utility, weigh, fair), value(utility, weigh, free)
    truth: list[float | None] = [None, None]
    if unbiased is not None:
        if unbiased.names != rankings.names:
            raise TaskError("the unbiased rankings are of other items")
        real = seen(unbiased, rule, size)
        best = value(real, weigh, greedy(real, weigh, group, np.zeros_like(need)))
        truth = [value(real, weigh, chosen) / best if best > 0 else None for chosen in (fair, free)]
    names = rankings.names
    return Committee(
        tuple(names[i] for i in fair),
        total,
        tuple(names[i] for i in free),
        free_total,
        total / free_total if free_total > 0 else None,
        *truth,
    )


def _bounds(
    names: tuple[str, ...], size: int, groups: Mapping[str, str], at_least: Mapping[str, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """[k] code of each item's group (0: none), and [groups] the least number of each."""
    unknown = [name for name in groups if name not in names]
    if unknown:
        raise ConfigError(f"groups names {unknown[0]!r}, which is not among the items")
    labels = ["", *dict.fromkeys(groups.values())]
    group = np.array([labels.index(groups.get(name, "")) for name in names])
    need = np.zeros(len(labels), dtype=np.intp)
    for label, number in at_least.items():
        if label not in labels[1:]:
            raise ConfigError(f"at_least names the group {label!r}; known: {', '.join(labels[1:]) or 'none'}")
        need[labels.index(label)] = number
        if not 0 <= number <= (group == labels.index(label)).sum():
            raise ConfigError(f"group {label!r} cannot give {number} items")
    if need.sum() > size:
        raise ConfigError(f"the bounds ask for {need.sum()} items, more than the {size} to choose")
    return group, need
