"""Recorded verdicts on pairs, by column, and every audit of them that needs no model; a million take seconds.

accuracy, agreement    against labels, order by order
position               share of the answer shown first over both orders; same choice in both orders
repeats                same choice when the same question is put again
length                 errors in favour of the longer answer minus errors in favour of the shorter
own_answers            raw and gold-corrected preference for one source
cycles                 A over B, B over C, C over A
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.audits.evaluating import in_words
from whetstone.core.errors import ConfigError
from whetstone.core.types import Finding
from whetstone.stats import Estimate, HypothesisTest, clustered_mean, finding, paired_permutation, proportion
from whetstone.stats.agreement import cohen_kappa, gwet_ac1

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
MANY = 20_000  # values beyond which sums of sign flips are normal


@dataclass(frozen=True, eq=False)
class Verdicts:
    """One row each time a judge was asked about two answers.

    Attributes:
        chosen: [n] 1: the answer shown first, 0: the one shown second, 0.5: tie, NaN: no readable verdict. Shares
            between are probabilities of the first.
        pair: [n] number of the pair of answers; by default each row is a pair of its own.
        swapped: [n] shown in the reverse of the pair's order; by default none is.
        gold: [n] the label, written as `chosen` is; NaN where unknown.
        lengths: [n, 2] lengths of the answers shown first and second.
        sources: [n, 2] who wrote them, indices of `names`.
        names: the sources.
        group: [n] cluster (prompt, conversation); by default the pair.
    """

    chosen: Floats
    pair: Codes = field(default_factory=lambda: np.zeros(0, np.intp))
    swapped: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    gold: Floats | None = None
    lengths: Floats | None = None
    sources: Codes | None = None
    names: tuple[str, ...] = ()
    group: Codes | None = None

    def __post_init__(self) -> None:
        n = len(self.chosen)
        if not len(self.pair):
            object.__setattr__(self, "pair", np.arange(n))
        if not len(self.swapped):
            object.__setattr__(self, "swapped", np.zeros(n, np.bool_))
        columns = (self.pair, self.swapped, self.gold, self.lengths, self.sources, self.group)
        if any(column is not None and len(column) != n for column in columns):
            raise ConfigError(f"columns of recorded verdicts differ in length; `chosen` has {n} rows")

    @property
    def groups(self) -> Codes:
        return self.pair if self.group is None else self.group


def audit_verdicts(verdicts: Verdicts, *, own: str = "", seed: int = 0) -> list[Finding]:
    """All audits that the columns allow; `own` names the judge's own source."""
    found = [finding("unreadable", proportion(np.isnan(verdicts.chosen).astype(float), groups=verdicts.groups))]
    if verdicts.gold is not None:
        found += agreement(verdicts, seed=seed)
    found += position(verdicts)
    found += repeats(verdicts)
    if verdicts.lengths is not None:
        found += length(verdicts)
    if own:
        found += own_answers(verdicts, own)
    if verdicts.sources is not None:
        found += cycles(verdicts)
    return found


def agreement(verdicts: Verdicts, *, seed: int = 0) -> list[Finding]:
    """`accuracy`: share of labelled rows with the label's verdict; `kappa` and `ac1` of the readable ones.

    A tie is right where the label is a tie, and an unreadable verdict is never right.
    """
    gold = np.full(len(verdicts.chosen), np.nan) if verdicts.gold is None else verdicts.gold
    known = ~np.isnan(gold)
    said, truth, groups = np.sign(verdicts.chosen[known] - 0.5), np.sign(gold[known] - 0.5), verdicts.groups[known]
    read = ~np.isnan(said)
    kappa = cohen_kappa(said[read], truth[read], groups=groups[read], seed=seed)
    sure = kappa.interval is not None and kappa.interval[0] > 0
    told = "agrees beyond chance" if sure else "no agreement beyond chance found"
    both = np.stack([said[read], truth[read]], axis=1)
    return [
        finding("accuracy", proportion(np.equal(said, truth).astype(float), groups=groups)),
        Finding("kappa", kappa.value, kappa.interval, kappa.n, 0.0, None, told, {"method": kappa.method}),
        finding("ac1", gwet_ac1(both, groups=groups[read], seed=seed)),
    ]


def position(verdicts: Verdicts) -> list[Finding]:
    """`first_position` over pairs asked in both orders, against 1/2, and their `order_consistency`."""
    forward, backward = (_first_rows(verdicts, order) for order in (False, True))
    pairs, i, j = np.intersect1d(verdicts.pair[forward], verdicts.pair[backward], return_indices=True)
    if not pairs.size:
        return []
    ahead, behind, groups = verdicts.chosen[forward[i]], verdicts.chosen[backward[j]], verdicts.groups[forward[i]]
    read = ~np.isnan(ahead) & ~np.isnan(behind)
    same = np.where(read, np.sign(ahead - 0.5) == np.sign(0.5 - behind), np.isnan(ahead) & np.isnan(behind))
    told = ("prefers the answer shown first", "prefers the answer shown second", "no preference for a position found")
    shares = (ahead[read] + behind[read]) / 2
    return [
        _against("first_position", shares, 0.5, groups[read], told, left_out=int((~read).sum())),
        finding("order_consistency", proportion(same.astype(float), groups=groups)),
    ]


def repeats(verdicts: Verdicts) -> list[Finding]:
    """`repeat_consistency`: the chance that two verdicts on the same pair in the same order are the same."""
    outcome = np.where(np.isnan(verdicts.chosen), 3, np.sign(verdicts.chosen - 0.5) + 1).astype(np.intp)
    _, question = np.unique(verdicts.pair * 2 + verdicts.swapped, return_inverse=True)
    counts = np.bincount(question * 4 + outcome, minlength=4 * (int(question.max(initial=-1)) + 1)).reshape(-1, 4)
    asked = counts.sum(axis=1)
    again = asked > 1
    if not again.any():
        return []
    same = (counts * (counts - 1)).sum(axis=1)[again] / (asked * (asked - 1))[again]
    groups = np.zeros(len(counts), np.intp)
    groups[question] = verdicts.groups
    return [finding("repeat_consistency", proportion(same, groups=groups[again]))]


def length(verdicts: Verdicts) -> list[Finding]:
    """`longer_answer` among equally good pairs against 1/2; `length_errors` among labelled ones against 0.

    `length_errors`: how much more often the judge is wrong when the right answer is the shorter one. A judge that errs
    alike in both directions has 0, however often it errs and however often the longer answer is right.
    """
    if verdicts.lengths is None:
        return []
    longer = verdicts.lengths[:, 0] > verdicts.lengths[:, 1]
    apart = (verdicts.lengths[:, 0] != verdicts.lengths[:, 1]) & ~np.isnan(verdicts.chosen)
    share = np.where(longer, verdicts.chosen, 1 - verdicts.chosen)
    gold = np.full(len(share), 0.5) if verdicts.gold is None else verdicts.gold
    level = apart & (np.isnan(gold) | (gold == 0.5))
    told = ("prefers longer answers", "prefers shorter answers", "no preference for a length found")
    found = []
    if level.any():
        found.append(_against("longer_answer", share[level], 0.5, verdicts.groups[level], told))
    decided = apart & np.isin(gold, (0.0, 1.0))
    better = np.where(longer, gold, 1 - gold)
    test = difference(share[decided], better[decided], verdicts.groups[decided])
    return [*found, *([_told("length_errors", test, told)] if test else [])]


def own_answers(verdicts: Verdicts, own: str) -> list[Finding]:
    """Preference for one source over the others.

    `own_win_rate` against 1/2 mixes merit with favour; `self_preference` subtracts the win rate that the labels give
    (the DBG score); `self_errors` is how much more often the judge errs in favour of its own answer than against it,
    which an inaccurate but fair judge leaves at 0.
    """
    if verdicts.sources is None or own not in verdicts.names:
        known_names = ", ".join(verdicts.names) or "unknown"
        raise ConfigError(f"no answers of {own!r} among the verdicts; sources: {known_names}")
    mine = verdicts.sources == verdicts.names.index(own)
    mixed = (mine[:, 0] != mine[:, 1]) & ~np.isnan(verdicts.chosen)
    share = np.where(mine[:, 0], verdicts.chosen, 1 - verdicts.chosen)
    told = ("favours its own answers", "disfavours its own answers", "no preference for its own answers found")
    found = [_against("own_win_rate", share[mixed], 0.5, verdicts.groups[mixed], ("wins", "loses", "even"))]
    if verdicts.gold is not None:
        known = mixed & ~np.isnan(verdicts.gold)
        gold = np.where(mine[:, 0], verdicts.gold, 1 - verdicts.gold)
        found.append(_against("self_preference", (share - gold)[known], 0.0, verdicts.groups[known], told, own=own))
        decided = known & (gold != 0.5)
        test = difference(share[decided], gold[decided], verdicts.groups[decided])
        found += [_told("self_errors", test, told)] if test else []
    return found


def cycles(verdicts: Verdicts) -> list[Finding]:
    """`cycles`: share of triples of sources, compared on one prompt, whose verdicts go round; a coin has 1/4.

    Verdicts on the same two sources and prompt are averaged first; triples with an even pair do not count.
    """
    if verdicts.sources is None or verdicts.group is None:
        return []
    read = ~np.isnan(verdicts.chosen) & (verdicts.sources[:, 0] != verdicts.sources[:, 1])
    prompts, prompt = np.unique(verdicts.group[read], return_inverse=True)
    a, b = verdicts.sources[read].T
    k = int(verdicts.sources.max(initial=-1)) + 1
    lead = np.where(a < b, 1, -1) * (verdicts.chosen[read] - 0.5)
    low, high = np.minimum(a, b), np.maximum(a, b)
    found: list[Floats] = []
    where: list[Codes] = []
    edges: dict[tuple[int, ...], Floats] = {}
    for code in np.unique(low * k + high):
        chosen = low * k + high == code
        edges[divmod(int(code), k)] = np.bincount(prompt[chosen], lead[chosen], prompts.size).astype(np.float64)
    for x, y, z in combinations(range(k), 3):
        if {(x, y), (y, z), (x, z)} <= set(edges):
            signs = np.sign([edges[x, y], edges[y, z], -edges[x, z]])
            full = (signs != 0).all(axis=0)
            found.append((np.abs(signs.sum(axis=0)) == 3)[full].astype(float))
            where.append(np.flatnonzero(full))
    if not found or not sum(map(len, found)):
        return []
    return [finding("cycles", proportion(np.concatenate(found), groups=np.concatenate(where)))]


def difference(values: Floats, side: Floats, groups: Codes) -> HypothesisTest | None:
    """Mean of values where `side` is 0, plus the mean where it is 1, minus 1: errors one way minus the other way.

    For a share given to some answer and whether that answer deserved it, this is the rate of undeserved choices minus
    the rate of undeserved refusals. The standard error is clustered (CR1). None when one side is empty.
    """
    one, zero = side == 1, side == 0
    if not one.any() or not zero.any():
        return None
    up, down = float(values[zero].mean()), float(values[one].mean())
    parts = np.where(one, (values - down) / one.sum(), (values - up) / zero.sum())
    _, codes = np.unique(groups, return_inverse=True)
    sums = np.bincount(codes, parts)
    value, units = up + down - 1, sums.size
    stderr = float(np.sqrt(units / max(units - 1, 1) * (sums @ sums)))
    if units < 2 or stderr == 0:
        return HypothesisTest(Estimate(value, None, values.size, None, "clustered t"), None, 0.0, "clustered t")
    half = float(scipy.special.stdtrit(units - 1, 0.975)) * stderr
    p = 2 * float(scipy.special.stdtr(units - 1, -abs(value) / stderr))
    effect = Estimate(value, (value - half, value + half), values.size, stderr, "clustered t")
    return HypothesisTest(effect, p, 0.0, "clustered t")


def _first_rows(verdicts: Verdicts, swapped: bool) -> Codes:
    """The first row of each pair in one order."""
    rows = np.flatnonzero(verdicts.swapped == swapped)
    return rows[np.unique(verdicts.pair[rows], return_index=True)[1]]


def _against(
    name: str, values: Floats, null: float, groups: Codes, told: Sequence[str], **detail: int | str
) -> Finding:
    """A mean against a null by sign flips of whole groups, or by t where there are very many."""
    if not values.size:
        return Finding(name, None, None, 0, null, verdict="not measured", detail=detail)
    effect = clustered_mean(values, groups) if null == 0 else proportion(values, groups=groups)
    if values.size <= MANY or np.unique(values[:MANY]).size <= 64:
        p = paired_permutation(values, np.full(values.size, null), groups=groups).p
    else:
        units = np.unique(groups).size
        p = 2 * float(scipy.special.stdtr(units - 1, -abs(float(values.mean()) - null) / (effect.stderr or np.inf)))
    return _told(name, HypothesisTest(effect, p, null, "sign-flip permutation"), told, **detail)


def _told(name: str, test: HypothesisTest, told: Sequence[str], **detail: int | str) -> Finding:
    """The finding with the verdict for above, below or neither."""
    return finding(name, test, verdict=in_words(test, told), **detail)
