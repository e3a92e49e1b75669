"""Kemeny's rule: the order of all systems that disagrees least with the tasks, summed over pairs.

Source: "What are the best systems? New perspectives on NLP Benchmarking" (the consensus that its Borda approximates);
Kemeny, "Mathematics without numbers" (1959).

Everyone in an earlier component of the majority relation beats everyone in a later one, so the best order is that of
the components, each ordered by itself: by dynamic programming over subsets up to `exact_to` systems, by a mixed-integer
programme beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from whetstone.core.errors import ConfigError
from whetstone.ranking.rules.majority import components

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Kemeny:
    """The consensus order.

    Attributes:
        order: [k] one best order, positions best first.
        place: [k] place of each system from 0, the mean over all best orders (so that no name decides); where a
            component was too large to count them, its place in `order`.
        cost: weight of the disagreements, over tasks and pairs, that remain.
        orders: number of best orders; None where it was not counted.
        proven: is no better order possible? False when the time was up.
    """

    order: NDArray[np.intp]
    place: Floats
    cost: float
    orders: int | None
    proven: bool


def kemeny(support: Floats, *, exact_to: int = 15, seconds: float = 60.0) -> Kemeny:
    """The order of all systems with the least disagreement.

    Args:
        support: [k, k] weight of the tasks on which the row's system beats the column's.
        exact_to: the largest component, in systems, that is solved by dynamic programming; at most 20.
        seconds: time for the mixed-integer programme of a larger component.
    """
    if not 1 <= exact_to <= 20:
        raise ConfigError(f"exact_to must be from 1 to 20 systems, not {exact_to}: the memory grows as 2 to its power")
    part = components(support)
    order, place, counts, proven, done = [], np.empty(len(support)), [], True, 0
    for label in range(part.max() + 1):
        members = np.flatnonzero(part == label)
        inside = support[np.ix_(members, members)]
        if members.size <= exact_to:
            local, mean_place, count = _by_subsets(inside)
            counts.append(count)
        else:
            local, sure = _by_programme(inside, seconds)
            mean_place, proven = np.argsort(local).astype(np.float64), proven and sure
        order.append(members[local])
        place[members] = done + mean_place
        done += members.size
    best = np.concatenate(order)
    complete = len(counts) == part.max() + 1
    return Kemeny(best, place, disagreement(support, best), prod(counts) if complete else None, proven)


def disagreement(support: Floats, order: NDArray[np.intp]) -> float:
    """Weight with which the tasks contradict an order, summed over pairs."""
    return float(np.tril(support[np.ix_(order, order)], -1).sum())


def _by_subsets(support: Floats) -> tuple[NDArray[np.intp], Floats, int]:
    """Best order, mean place over all best orders, and their number. A set is the bits of those placed so far."""
    k = len(support)
    full = (1 << k) - 1
    sets = np.arange(full + 1)
    pay = np.zeros((k, full + 1))
    for b in range(k):
        pay[:, 1 << b : 2 << b] = pay[:, : 1 << b] + support[:, b, None]
    best = np.full(full + 1, np.inf)
    best[0] = 0
    size = np.array([bin(s).count("1") for s in sets])
    layers = [sets[size == n] for n in range(k + 1)]
    slack = 1e-9 * max(1.0, float(support.sum()))
    ways = np.zeros(full + 1)
    ways[0] = 1
    for layer in layers[1:]:
        for a in range(k):
            there = layer[layer >> a & 1 == 1]
            best[there] = np.minimum(best[there], best[there ^ 1 << a] + pay[a, there ^ 1 << a])
    tight = np.zeros((k, full + 1), dtype=bool)
    for layer in layers[:-1]:
        for a in range(k):
            free = layer[layer >> a & 1 == 0]
            tight[a, free] = best[free] + pay[a, free] <= best[free | 1 << a] + slack
            ways[free | 1 << a] += ways[free] * tight[a, free]
    rest = np.zeros(full + 1)
    rest[full] = 1
    place = np.zeros(k)
    for n in range(k - 1, -1, -1):
        for a in range(k):
            free = layers[n][layers[n] >> a & 1 == 0]
            onward = rest[free | 1 << a] * tight[a, free]
            rest[free] += onward
            place[a] += n * float(ways[free] @ onward) / ways[full]
    order, at = [], 0
    while at != full:
        a = next(a for a in range(k) if not at >> a & 1 and tight[a, at] and rest[at | 1 << a] > 0)
        order.append(a)
        at |= 1 << a
    return np.array(order), np.round(place, 9), int(ways[full])


def _by_programme(support: Floats, seconds: float) -> tuple[NDArray[np.intp], bool]:
    """Best order, and is it proven to be? One 0/1 variable a pair (first before second), held transitive."""
    k = len(support)
    first, second = np.triu_indices(k, 1)
    number = np.zeros((k, k), dtype=np.intp)
    number[first, second] = np.arange(first.size)
    a, b, c = np.array(list(combinations(range(k), 3)), dtype=np.intp).reshape(-1, 3).T
    rows = np.tile(np.arange(a.size), 3)
    columns = np.concatenate([number[a, b], number[b, c], number[a, c]])
    signs = np.repeat([1.0, 1.0, -1.0], a.size)
    transitive = LinearConstraint(csr_array((signs, (rows, columns)), shape=(a.size, first.size)), 0, 1)
    cost = support[second, first] - support[first, second]
    found = milp(
        cost,
        integrality=np.ones(first.size),
        bounds=Bounds(0, 1),
        constraints=transitive,
        options={"time_limit": seconds},
    )
    if found.x is None:
        points = (support - support.T).sum(axis=1)
        return np.argsort(-points, kind="stable"), False
    before = np.zeros((k, k))
    before[first, second] = np.round(found.x)
    before[second, first] = 1 - before[first, second]
    return np.argsort(-before.sum(axis=1), kind="stable"), found.status == 0
