"""Two or many systems on the same items: all pairs, corrected for their number, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Codes, Floats, Groups, check_level, clusters, floats, grouped
from whetstone.stats.bootstrap import joint_mean_draws
from whetstone.stats.estimate import Estimate, HypothesisTest
from whetstone.stats.intervals import clustered_mean, proportion
from whetstone.stats.multiple import benjamini_hochberg, holm
from whetstone.stats.paired import (
    mcnemar,
    paired_difference,
    paired_permutation,
    paired_t,
    sign_test,
    tested_draws,
)
from whetstone.stats.sequential import paired_anytime

Test = Literal["auto", "mcnemar", "t", "bootstrap", "permutation", "sign", "anytime"]
Correction = Literal["holm", "benjamini-hochberg", "none"]
CORRECTIONS: dict[Correction, Callable[[Sequence[float | None]], list[float | None]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": list,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of the systems: `treatment` minus `baseline`.

    Attributes:
        treatment, baseline: names.
        test: the difference with its own interval, and its p-value.
        adjusted: the p-value corrected for the number of pairs; None when unknown.
        separated: is the corrected p-value below 1 - level?
    """

    treatment: str
    baseline: str
    test: HypothesisTest
    adjusted: float | None
    separated: bool


@dataclass(frozen=True, slots=True)
class Systems:
    """Systems compared on the same items.

    Attributes:
        names: in the order given.
        means: each system's mean with its own interval.
        pairs: every pair, or each system with the one that all are compared against.
        ranks: best and worst rank that the separated pairs leave each system; with Holm's correction all of them hold
            at once with probability `level`. Empty when not all pairs were tested.
        ties: tie groups, the best first: the largest sets of systems of which no two are separated. A system may be
            in several. Empty when not all pairs were tested.
        n, units: items, and independent units among them (clusters).
        level: confidence level.
    """

    names: tuple[str, ...]
    means: tuple[Estimate, ...]
    pairs: tuple[Pair, ...]
    ranks: tuple[tuple[int, int], ...]
    ties: tuple[tuple[str, ...], ...]
    n: int
    units: int
    level: float


def compare_systems(
    scores: Mapping[str, ArrayLike],
    *,
    groups: Groups | None = None,
    test: Test = "auto",
    against: str | None = None,
    correction: Correction = "holm",
    bounds: tuple[float, float] = (0.0, 1.0),
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Systems:
    """Compare systems on the same items.

    Args:
        scores: name -> [n] scores (right/wrong or real), the same items in the same order for every system.
        groups: [n] cluster of each item.
        test: "auto" is mid-p McNemar for right/wrong data without clusters, else (clustered) t. The bootstrap draws
            the same items for all systems; "sign" asks who wins more items; "anytime" may be looked at after every
            item and needs `bounds`.
        against: compare each system with this one only, instead of all pairs.
        correction: for the number of pairs: "holm" bounds the chance of any false claim, "benjamini-hochberg" the
            share of false ones.
        bounds: least and greatest possible score, for "anytime".
        rounds: of the bootstrap or of random sign patterns.
        level: confidence level; a pair is separated when its corrected p-value is below 1 - level.
        seed: same seed, same result.

    Raises:
        ValueError: fewer than two systems, no items, lengths that differ, an unknown `against`, scores that the
            test cannot take.

    Source: tie groups as in Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons"
    (2004).
    """
    names = tuple(scores)
    if len(names) < 2:
        raise ValueError(f"a comparison needs at least two systems, not {len(names)}")
    if against is not None and against not in scores:
        raise ValueError(f"no system is called {against!r}; there are {', '.join(names)}")
    columns = [floats(scores[name], f"scores of {name}") for name in names]
    if len({column.size for column in columns}) > 1 or not columns[0].size:
        sizes = ", ".join(f"{name} {column.size}" for name, column in zip(names, columns, strict=True))
        raise ValueError(f"systems need the same items, at least one: {sizes}")
    table = np.stack(columns, axis=1)
    codes = clusters(groups, len(table))
    clustered = codes if grouped(codes) else None
    index = {name: i for i, name in enumerate(names)}
    chosen = list(combinations(range(len(names)), 2))
    if against is not None:
        chosen = [(index[against], i) for i in range(len(names)) if names[i] != against]
    tests = _tests(table, [(later, earlier) for earlier, later in chosen], codes, test, bounds, rounds, level, seed)
    adjusted = CORRECTIONS[correction]([found.p for found in tests])
    alpha = check_level(level)
    pairs = tuple(
        Pair(names[j], names[i], found, p, p is not None and p < alpha)
        for (i, j), found, p in zip(chosen, tests, adjusted, strict=True)
    )
    ordered = sorted(names, key=lambda name: -columns[index[name]].mean())
    everything = against is None or len(names) == 2
    return Systems(
        names,
        tuple(_mean(column, clustered, level) for column in columns),
        pairs,
        tuple(_rank(name, pairs, len(names)) for name in names) if everything else (),
        tie_groups(ordered, [(p.treatment, p.baseline) for p in pairs if p.separated]) if everything else (),
        len(table),
        int(codes.max()) + 1,
        level,
    )


def tie_groups(names: Sequence[str], separated: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The largest sets of names of which no two are separated, each in the order of `names`, by their first name.

    Source: the insert-and-absorb algorithm of Piepho (2004).
    """
    groups = [frozenset(names)]
    for first, second in separated:
        split = [part for g in groups if {first, second} <= g for part in (g - {first}, g - {second})]
        kept = [g for g in groups if not {first, second} <= g]
        groups = kept + [g for i, g in enumerate(split) if not any(g <= k for k in kept) and g not in split[:i]]
        groups = [g for g in groups if not any(g < other for other in groups)]
    place = {name: i for i, name in enumerate(names)}
    ordered = [tuple(sorted(group, key=place.__getitem__)) for group in groups]
    return tuple(sorted(ordered, key=lambda group: [place[name] for name in group]))


def _tests(
    table: Floats,
    chosen: Sequence[tuple[int, int]],
    codes: Codes,
    test: Test,
    bounds: tuple[float, float],
    rounds: int,
    level: float,
    seed: int,
) -> list[HypothesisTest]:
    """The test of column i minus column j for each (i, j)."""
    groups = codes if grouped(codes) else None
    if test == "auto":
        test = "mcnemar" if groups is None and np.isin(table, (0, 1)).all() else "t"
    pairs = [(table[:, i], table[:, j]) for i, j in chosen]
    if test in ("mcnemar", "sign") and groups is not None:
        raise ValueError(f"the test {test!r} takes items for independent; with groups use t, bootstrap or permutation")
    if test == "mcnemar":
        return [mcnemar(*pair, level=level) for pair in pairs]
    if test == "sign":
        return [sign_test(*pair, level=level) for pair in pairs]
    if test == "t":
        return [paired_t(*pair, groups=groups, level=level) for pair in pairs]
    if test == "permutation":
        return [paired_permutation(*pair, groups=groups, rounds=rounds, level=level, seed=seed) for pair in pairs]
    if test == "anytime":
        return [paired_anytime(*pair, groups=groups, bounds=bounds, level=level) for pair in pairs]
    draws = joint_mean_draws(table, codes, rounds, np.random.default_rng(seed))
    method = "paired bootstrap" if groups is None else "paired cluster bootstrap"
    units, tail = int(codes.max()) + 1, check_level(level) / 2
    found = []
    for (i, j), pair in zip(chosen, pairs, strict=True):
        difference, counts = paired_difference(*pair)
        found.append(tested_draws(difference, draws[:, i] - draws[:, j], units, tail, method, counts))
    return found


def _mean(values: Floats, groups: Codes | None, level: float) -> Estimate:
    if values.min() >= 0 and values.max() <= 1:
        return proportion(values, groups=groups, level=level)
    return clustered_mean(values, groups, level=level)


def _rank(name: str, pairs: Sequence[Pair], k: int) -> tuple[int, int]:
    above = below = 0
    for pair in pairs:
        if pair.separated and name in (pair.treatment, pair.baseline):
            won = (_direction(pair.test) > 0) == (pair.treatment == name)
            below, above = below + won, above + (not won)
    return 1 + above, k - below


def _direction(test: HypothesisTest) -> float:
    return (test.effect.value or 0.0) - test.null
