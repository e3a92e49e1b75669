"""Sums of weights that are equal on paper are made equal in the machine, so that ties are seen as ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def settle(values: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """The values to twelve digits of `scale`, the size of what was summed: beyond them stand rounding errors."""
    return np.round(values, 12 - int(np.ceil(np.log10(scale)))) if scale > 0 else values


def by_order(beats: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[k] scores that agree with a partial order: number of systems that one stands above, less those above it.

    Args:
        beats: [k, k] transitive: does the row's system stand above the column's?
    """
    scores: NDArray[np.float64] = beats.sum(axis=1, dtype=np.float64) - beats.sum(axis=0, dtype=np.float64)
    return scores
