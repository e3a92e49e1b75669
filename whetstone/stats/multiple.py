"""Corrections for many comparisons. An unknown p-value (None) stays None and is not counted as a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from whetstone.stats._arrays import Floats, unit


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values: rejecting those below alpha keeps the chance of any false claim below alpha.

    Raises ValueError when a p-value is not within [0, 1].

    Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).
    """
    return _adjust(p_values, lambda p: np.maximum.accumulate(p * np.arange(p.size, 0, -1)))


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini-Hochberg adjusted p-values: rejecting those below q keeps the share of false claims below q.

    Valid for independent or positively dependent tests. Raises ValueError when a p-value is not within [0, 1].

    Source: Benjamini and Hochberg, "Controlling the false discovery rate" (1995).
    """
    return _adjust(p_values, lambda p: np.minimum.accumulate((p * p.size / np.arange(1, p.size + 1))[::-1])[::-1])


def _adjust(p_values: Sequence[float | None], step: Callable[[Floats], Floats]) -> list[float | None]:
    known = [i for i, p in enumerate(p_values) if p is not None]
    array = unit([p for p in p_values if p is not None], "p_values")
    order = np.argsort(array, kind="stable")
    adjusted: list[float | None] = [None] * len(p_values)
    for i, p in zip(order, np.minimum(1.0, step(array[order])), strict=True):
        adjusted[known[i]] = float(p)
    return adjusted
