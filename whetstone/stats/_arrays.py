"""Checked conversion of what callers pass into arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Groups = Sequence[Hashable] | NDArray[Any]


def floats(values: ArrayLike, name: str = "values", *, infinite: bool = False) -> Floats:
    """A one-dimensional float array. Raises ValueError on None, NaN and (unless `infinite`) infinite values."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    if array.dtype == object and any(value is None for value in array):
        raise ValueError(f"{name} holds unknown values (None): leave them out and report how many")
    array = array.astype(np.float64)
    if np.isnan(array).any() or not (infinite or np.isfinite(array).all()):
        raise ValueError(f"{name} holds values that are not finite numbers: leave them out and report how many")
    return array


def unit(values: ArrayLike, name: str) -> Floats:
    """A float array within [0, 1]."""
    array = floats(values, name)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(f"{name} must lie between 0 and 1")
    return array


def binary(values: ArrayLike, name: str = "correct") -> Floats:
    """A float array of zeros and ones."""
    array = floats(values, name)
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name} must be true or false (1 or 0)")
    return array


def same_length(**arrays: Sequence[Any] | NDArray[Any]) -> None:
    """Raises ValueError that names the lengths unless all are equal."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError("lengths differ: " + ", ".join(f"{name} {n}" for name, n in lengths.items()))


def clusters(groups: Groups | None, n: int) -> Codes:
    """The cluster number (0 ..) of each item. None and "" stand for no group: such an item is its own cluster."""
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise ValueError(f"lengths differ: groups {len(groups)}, values {n}")
    if isinstance(groups, np.ndarray) and groups.dtype.kind in "iub":
        return np.unique(groups, return_inverse=True)[1].astype(np.intp)
    seen: dict[Hashable, int] = {}
    codes, count = np.empty(n, np.intp), 0
    for i, group in enumerate(groups):
        codes[i] = count if group is None or group == "" else seen.setdefault(group, count)
        count += int(codes[i] == count)
    return codes


def grouped(codes: Codes) -> bool:
    """Does any cluster hold more than one item?"""
    return bool(codes.size) and int(codes.max()) + 1 < codes.size


def unit_count(groups: Groups | None, n: int) -> int:
    """Number of independent units among n items: clusters, or the items themselves."""
    return n if groups is None else int(clusters(groups, n).max(initial=-1)) + 1


def select(groups: Groups | None, where: Codes) -> Groups | None:
    """The clusters of the items at these positions."""
    return None if groups is None else [groups[int(i)] for i in where]


def rarer(labels: Floats, groups: Groups | None) -> int:
    """Number of items, or of clusters that hold one, of the class that has fewer."""
    codes = clusters(groups, labels.size)
    return min(np.unique(codes[labels == label]).size for label in (0, 1))


def check_level(level: float) -> float:
    """The tail probability `1 - level`. Raises ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1 (such as 0.95), not {level}")
    return 1 - level
