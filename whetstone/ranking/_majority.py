"""Which system beat which beyond doubt, and the cycles among them."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking.comparisons import Counts
from whetstone.stats.multiple import holm

Bools = NDArray[np.bool_]


def observed(counts: Counts) -> Bools:
    """[k, k] did the row's system win more often against the column's than it lost?"""
    return np.asarray(counts.wins > counts.wins.T)


def established(counts: Counts, *, level: float = 0.95) -> Bools:
    """[k, k] the same beyond doubt: two-sided sign tests over all pairs that met, ties left out, adjusted by Holm.

    With unequal weights the test is made at the effective number of comparisons.
    """
    upper = np.triu_indices(len(counts.names), 1)
    wins, losses = counts.wins[upper], counts.wins.T[upper]
    total = wins + losses
    squares = (counts.squared_wins + counts.squared_wins.T)[upper]
    factor = np.divide(total, squares, out=np.zeros_like(total), where=squares > 0)
    few, effective = np.minimum(wins, losses) * factor, total * factor
    p = np.where(total > 0, 2 * scipy.special.betainc(np.maximum(effective - few, 1e-9), few + 1, 0.5), 1.0)
    adjusted = np.ones_like(p)
    met = np.flatnonzero(total > 0)
    adjusted[met] = [q if q is not None else 1.0 for q in holm(np.minimum(p[met], 1.0).tolist())]
    out = np.zeros((len(counts.names),) * 2, dtype=bool)
    sure = adjusted < 1 - level
    out[upper] = sure & (wins > losses)
    out.T[upper] = sure & (wins < losses)
    return out


def cycles(beats: Bools) -> list[list[int]]:
    """One shortest cycle for each group of systems that beat each other in a circle, each named in beating order."""
    parts, part = scipy.sparse.csgraph.connected_components(beats.astype(np.int8), connection="strong")
    found = []
    for group in (np.flatnonzero(part == i) for i in range(parts)):
        if group.size > 1:
            inner = beats[np.ix_(group, group)]
            distance, before = scipy.sparse.csgraph.shortest_path(inner, unweighted=True, return_predecessors=True)
            back = np.where(inner.T, distance, np.inf)
            first, last = np.unravel_index(int(np.argmin(back)), back.shape)
            path = [int(last)]
            while path[-1] != first:
                path.append(int(before[first, path[-1]]))
            found.append([int(group[i]) for i in reversed(path)])
    return found
