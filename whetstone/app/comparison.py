"""Systems on the same items as one value: what the verb prints, draws, writes as JSON and gates on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.app.scores import Aligned
from whetstone.core.errors import ConfigError
from whetstone.stats.aggregates import interquartile_mean, performance_profile, probability_of_improvement
from whetstone.stats.equivalence import Equivalence, tost
from whetstone.stats.estimate import Estimate
from whetstone.stats.flips import flips
from whetstone.stats.intervals import clustered_mean
from whetstone.stats.multiple import holm
from whetstone.stats.power import detectable_difference
from whetstone.stats.systems import Correction, Pair, Systems, Test, compare_systems
from whetstone.tasks.levels import by_value

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
SCHEMA = "whetstone.comparison/1"
Rule = Literal["better", "not-worse", "equivalent", "no-regression"]
THRESHOLDS = 21
POWER = 0.8


@dataclass(frozen=True, slots=True)
class System:
    """One system.

    Attributes:
        mean: with its own interval; `middle`: the interquartile mean, None for right/wrong scores.
        rank: best and worst rank that the separated pairs leave it; None when not all pairs were tested.
        ties: numbers (from 1) of the tie groups it belongs to.
        left_out: reason -> rows or items not used.
    """

    name: str
    source: str
    mean: Estimate
    middle: Estimate | None
    rank: tuple[int, int] | None
    ties: tuple[int, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paired:
    """`treatment` minus `baseline`.

    Attributes:
        effect: what the test is about: the mean difference, or for the sign test the share of wins against 0.5.
        p, adjusted: of no difference, and corrected for the number of pairs.
        separated: told apart at the comparison's level.
        wins, losses, ties: items on which the treatment scores higher, lower, the same.
        improvement: probability that it scores higher on an item (ties half).
        negative_flips: share of items on which it scores lower.
        equivalence: the two one-sided tests, where a margin was set.
        detectable: smallest true difference that these items find with 80 % power.
        needed: items that would tell a true difference of the size seen apart with 80 % power; None where it is.
    """

    treatment: str
    baseline: str
    difference: Estimate
    effect: Estimate
    null: float
    method: str
    p: float | None
    adjusted: float | None
    separated: bool
    wins: int
    losses: int
    ties: int
    improvement: Estimate
    negative_flips: Estimate
    equivalence: Equivalence | None
    detectable: float | None
    needed: int | None

    @property
    def direction(self) -> int:
        """1 when the treatment is shown to be better, -1 when worse, 0 when neither."""
        if not self.separated or self.effect.value is None:
            return 0
        return 1 if self.effect.value > self.null else -1


@dataclass(frozen=True, slots=True)
class Curve:
    """A performance profile: share of items that score above each threshold, with a pointwise band."""

    name: str
    thresholds: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """One system against the first, on the items of one level; `adjusted` for all slices."""

    level: str
    treatment: str
    baseline: str
    difference: Estimate
    p: float | None
    adjusted: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether every system after the first passes a rule against the first; `failed` says who does not and why."""

    rule: Rule
    margin: float | None
    passed: bool
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Systems compared on the same items.

    Attributes:
        items, units: items that all systems have, and independent units among them (clusters).
        binary: all scores are right or wrong.
        systems: in the order given; the first is what `slices` and the gate compare with.
        pairs: all pairs (or all against the first), corrected for their number by `correction`.
        ties: tie groups, the best first.
        curves: performance profiles; none for right/wrong scores.
        slices: by level, where items have one.
    """

    items: int
    units: int
    binary: bool
    systems: tuple[System, ...]
    pairs: tuple[Paired, ...]
    ties: tuple[tuple[str, ...], ...]
    curves: tuple[Curve, ...]
    slices: tuple[Slice, ...]
    test: Test
    correction: Correction
    level: float
    margin: float | None
    seed: int
    gate: Gate | None = None
    schema: str = SCHEMA


def build(
    aligned: Aligned,
    *,
    test: Test = "auto",
    correction: Correction = "holm",
    only_first: bool = False,
    margin: float | None = None,
    bounds: tuple[float, float] | None = None,
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare aligned systems; arguments are those of `stats.compare_systems`.

    `only_first` compares with the first system only. `bounds` are needed by the anytime-valid test where scores are
    not within 0 and 1.

    Raises:
        ConfigError: scores that the test cannot take.
    """
    table = {name: np.array(values) for name, values in aligned.values.items()}
    low, high = (min(v.min() for v in table.values()), max(v.max() for v in table.values()))
    if test == "anytime" and bounds is None and not (low >= 0 and high <= 1):
        raise ConfigError(f"--test anytime needs --bounds: the scores go from {low:g} to {high:g}, not from 0 to 1")
    first, groups = aligned.names[0], _numbered(aligned.groups)
    try:
        found = compare_systems(
            table,
            groups=groups,
            test=test,
            against=first if only_first else None,
            correction=correction,
            bounds=bounds or (0.0, 1.0),
            rounds=rounds,
            level=level,
            seed=seed,
        )
    except ValueError as error:
        raise ConfigError(f"--test {test}: {error}") from None
    binary = all(bool(np.isin(values, (0, 1)).all()) for values in table.values())
    return Comparison(
        found.n,
        found.units,
        binary,
        tuple(
            _system(i, name, aligned, found, table[name], groups, binary, seed) for i, name in enumerate(found.names)
        ),
        tuple(
            _paired(pair, table[pair.treatment], table[pair.baseline], groups, margin, level) for pair in found.pairs
        ),
        found.ties,
        () if binary else _curves(table, groups, level),
        _slices(aligned, table, groups, level),
        test,
        correction,
        level,
        margin,
        seed,
    )


def gated(comparison: Comparison, rule: Rule) -> Comparison:
    """The comparison with the verdict of a gate: does every system after the first pass the rule?

    better: shown to be better. not-worse, equivalent: shown to lie above -margin, or within it, or no item differs.
    no-regression: not shown to be worse.

    Raises:
        ConfigError: a rule that needs a margin without one.
    """
    if rule in ("not-worse", "equivalent") and comparison.margin is None:
        raise ConfigError(f"--gate {rule} needs --margin: the largest difference that does not matter")
    first, failed = comparison.systems[0].name, []
    for pair in comparison.pairs:
        if first not in (pair.baseline, pair.treatment):
            continue
        unmoved = pair.wins + pair.losses == 0
        shown = {
            "better": pair.direction > 0,
            "no-regression": pair.direction >= 0,
            "not-worse": unmoved or bool(pair.equivalence and pair.equivalence.not_worse),
            "equivalent": unmoved or bool(pair.equivalence and pair.equivalence.equivalent),
        }[rule]
        if not shown:
            failed.append(f"{pair.treatment} is {_failure(rule, comparison.margin)} {first}")
    return replace(comparison, gate=Gate(rule, comparison.margin, not failed, tuple(failed)))


def _failure(rule: Rule, margin: float | None) -> str:
    return {
        "better": "not shown to be better than",
        "no-regression": "worse than",
        "not-worse": f"not shown to be at most {margin} worse than",
        "equivalent": f"not shown to be within {margin} of",
    }[rule]


def _numbered(groups: Sequence[str]) -> Codes | None:
    """Clusters as numbers; an item without a group is its own."""
    if not groups:
        return None
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(group or f"\0{i}", len(codes)) for i, group in enumerate(groups)], np.intp)


def _system(
    i: int,
    name: str,
    aligned: Aligned,
    found: Systems,
    values: Floats,
    groups: Codes | None,
    binary: bool,
    seed: int,
) -> System:
    return System(
        name,
        aligned.sources[i],
        found.means[i],
        None if binary else interquartile_mean(values, groups=groups, level=found.level, rounds=1000, seed=seed),
        found.ranks[i] if found.ranks else None,
        tuple(number for number, group in enumerate(found.ties, 1) if name in group),
        aligned.left_out.get(name, {}),
    )


def _paired(
    pair: Pair,
    treatment: Floats,
    baseline: Floats,
    groups: Codes | None,
    margin: float | None,
    level: float,
) -> Paired:
    test, difference = pair.test, pair.test.effect
    if test.null:
        difference = clustered_mean(treatment - baseline, groups, level=level)
    detectable = detectable_difference(treatment, baseline, groups=groups, power=POWER, alpha=1 - level)
    needed = None
    if detectable and difference.value and not pair.separated:
        needed = math.ceil(len(treatment) * (detectable / difference.value) ** 2)
    return Paired(
        pair.treatment,
        pair.baseline,
        difference,
        test.effect,
        test.null,
        test.method,
        test.p,
        pair.adjusted,
        pair.separated,
        test.wins or 0,
        test.losses or 0,
        test.ties or 0,
        probability_of_improvement(treatment, baseline, groups=groups, level=level),
        flips(treatment, baseline, groups=groups, level=level).negative,
        None if margin is None else tost(treatment, baseline, margin, groups=groups, alpha=1 - level),
        detectable,
        needed,
    )


def _curves(table: Mapping[str, Floats], groups: Codes | None, level: float) -> tuple[Curve, ...]:
    """Profiles over thresholds that all systems share."""
    pooled = np.unique(np.concatenate(list(table.values())))
    thresholds = pooled if pooled.size <= THRESHOLDS else np.linspace(pooled[0], pooled[-1], THRESHOLDS)
    found = {name: performance_profile(v, thresholds, groups=groups, level=level) for name, v in table.items()}
    return tuple(
        Curve(name, _plain(p.thresholds), _plain(p.share), _known(p.low), _known(p.high)) for name, p in found.items()
    )


def _slices(aligned: Aligned, table: Mapping[str, Floats], groups: Codes | None, level: float) -> tuple[Slice, ...]:
    levels = np.array(aligned.levels)
    names = sorted(set(aligned.levels) - {""}, key=by_value)
    if len(names) < 2:
        return ()
    found = []
    for name in names:
        at = levels == name
        part = compare_systems(
            {system: values[at] for system, values in table.items()},
            groups=None if groups is None else groups[at],
            against=aligned.names[0],
            correction="none",
            level=level,
        )
        found += [Slice(name, p.treatment, p.baseline, p.test.effect, p.test.p, None) for p in part.pairs]
    adjusted = holm([one.p for one in found])
    return tuple(replace(one, adjusted=p) for one, p in zip(found, adjusted, strict=True))


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(map(float, values))


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else float(value) for value in values)
