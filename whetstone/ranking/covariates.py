"""What may sway a judge besides quality, one number a comparison: order shown, length, style, family.

A covariate is positive where it favours the left system; 0 means that it favours neither.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from whetstone.core.errors import TaskError
from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Comparisons


def position(comparisons: Comparisons) -> Floats:
    """[n] 1 where the left system was shown first, -1 where the right one was."""
    if comparisons.left_first is None:
        return np.ones(len(comparisons))
    return np.where(comparisons.left_first, 1.0, -1.0)


def difference(left: ArrayLike, right: ArrayLike, *, relative: bool = True) -> Floats:
    """[n] left minus right of a measure of the two answers, such as their length.

    Args:
        left, right: [n] finite; with `relative` not negative.
        relative: divide by the sum of the two, so that only their ratio matters; two zeros give 0.

    Raises:
        TaskError: a number that cannot be used.
    """
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise TaskError(f"the two sides of a covariate have the shapes {a.shape} and {b.shape}")
    bad = ~(np.isfinite(a) & np.isfinite(b)) | (relative & ((a < 0) | (b < 0)))
    if bad.any():
        row = int(np.argmax(bad))
        raise TaskError(f"row {row + 1}: {a[row]:g} and {b[row]:g} cannot be compared as a covariate")
    return np.divide(a - b, a + b, out=np.zeros_like(a), where=a + b > 0) if relative else a - b


def same_family(comparisons: Comparisons, families: Mapping[str, str]) -> Floats:
    """[n] 1 where the left system alone is of the judge's family, -1 where the right one alone is, otherwise 0.

    Args:
        comparisons: with judges.
        families: system or judge -> family; who is not in it has no family.

    Raises:
        TaskError: the comparisons do not say who judged.
    """
    if comparisons.judge is None:
        raise TaskError("column judge is missing: whether a judge favours its family needs to know who judged")
    code: dict[str, int] = {}
    known = [families.get(name) for name in (*comparisons.names, *comparisons.judges)]
    codes = np.asarray(
        [-1 - i if family is None else code.setdefault(family, len(code)) for i, family in enumerate(known)]
    )
    systems, judges = codes[: len(comparisons.names)], codes[len(comparisons.names) :]
    judge = judges[comparisons.judge]
    left, right = systems[comparisons.left] == judge, systems[comparisons.right] == judge
    return np.asarray(left.astype(np.float64) - right.astype(np.float64))
