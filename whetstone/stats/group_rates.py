"""Is the best group's rate above the worst group's? Whole clusters are dealt to the groups at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.stats._arrays import Floats

ROUNDS = 2000
MANY = 20_000  # units beyond which dealing them is drawn from the normal distribution

Codes = NDArray[np.intp]


def dealt_units(values: Floats, groups: Codes, clusters: Codes) -> tuple[Floats, Floats, Codes]:
    """What is dealt: all values of one cluster, since they are alike; a cluster in two groups counts in both.

    Args:
        values: [n] what rates are means of.
        groups: [n] from 0 up.
        clusters: [n] from 0 up.

    Returns:
        [units] sum of the values, number of values, and group.
    """
    _, unit = np.unique(clusters * (int(groups.max(initial=0)) + 1) + groups, return_inverse=True)
    sizes = np.bincount(unit).astype(float)
    own = np.zeros(sizes.size, np.intp)
    own[unit] = groups
    return np.bincount(unit, values).astype(float), sizes, own


def group_rates(sums: Floats, sizes: Floats, groups: Codes) -> Floats:
    """[groups] mean value of each group of units."""
    return np.asarray(np.bincount(groups, sums) / np.bincount(groups, sizes))


def deal_units(sums: Floats, sizes: Floats, groups: Codes, *, seed: int = 0) -> tuple[float, float]:
    """The p-value of the gap between the best and the worst group of units, and the mean gap of random deals."""
    rng = np.random.default_rng(seed)
    if sizes.size <= MANY:
        dealt = np.array([np.ptp(group_rates(sums, sizes, rng.permutation(groups))) for _ in range(ROUNDS)])
    else:
        residual = sums - sizes * (sums.sum() / sizes.sum())
        error = np.sqrt(np.mean(residual**2) * np.bincount(groups)) / np.bincount(groups, sizes)
        dealt = np.ptp(rng.normal(size=(ROUNDS, error.size)) * error, axis=1)
    gap = np.ptp(group_rates(sums, sizes, groups))
    return (1 + int((dealt >= gap - 1e-12).sum())) / (ROUNDS + 1), float(dealt.mean())
