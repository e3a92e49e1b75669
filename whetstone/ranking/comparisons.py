"""Comparisons as integer codes, rankings of several systems as integer codes, and the counts of who beat whom.

Labels are encoded once and rows are counted once; every method that does not need the order of the rows works on the
k x k counts, so that its cost does not grow with the number of comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whetstone.core.errors import TaskError

_CHUNK = 1 << 15
"""Rows that are coded at a time: the intermediate arrays stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons of two systems, one a row.

    Attributes:
        names: the systems; codes are positions in it.
        left, right: [n] codes of the two systems.
        outcome: [n] 1 where left won, -1 where right won, 0 for a tie.
        weight: [n] finite and not negative; None: every row counts once.
        group: [n] code of the cluster (prompt, session) that a row belongs to; None: rows are independent.
        judge: [n] code of who judged, an index of `judges`.
        left_first: [n] was the left system shown first? None: always.
        dropped: rows of the source that are not here, counted by reason.

    Raises:
        TaskError: a row or a column that cannot be right; rows are counted from 1.
    """

    names: tuple[str, ...]
    left: NDArray[Any]
    right: NDArray[Any]
    outcome: NDArray[Any]
    weight: NDArray[np.float64] | None = None
    group: NDArray[Any] | None = None
    judge: NDArray[Any] | None = None
    judges: tuple[str, ...] = ()
    left_first: NDArray[np.bool_] | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names(self.names)
        if not len(self.left):
            raise TaskError("no comparisons: there is nothing to rank")
        for column in ("left", "right", "outcome", "weight", "group", "judge", "left_first"):
            values = getattr(self, column)
            if values is not None and values.shape != (len(self.left),):
                raise TaskError(f"{column} has the shape {values.shape}, left has {self.left.shape}")
        k = len(self.names)
        for column, low, high in (("left", 0, k), ("right", 0, k), ("outcome", -1, 2), ("judge", 0, len(self.judges))):
            _check_codes(column, getattr(self, column), low, high)
        if self.group is not None:
            _check_codes("group", self.group, 0, None)
        if (self.left == self.right).any():
            row = int(np.argmax(self.left == self.right))
            raise TaskError(f"row {row + 1}: {self.names[self.left[row]]!r} is compared with itself")
        if self.weight is not None:
            bad = ~(np.isfinite(self.weight) & (self.weight >= 0))
            if bad.any():
                row = int(np.argmax(bad))
                raise TaskError(f"row {row + 1}, column weight: {self.weight[row]} is not a finite number from 0 up")
            if not self.weight.any():
                raise TaskError("column weight: all weights are 0, so there is nothing to rank")

    @classmethod
    def from_labels(
        cls,
        left: Sequence[str],
        right: Sequence[str],
        outcome: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        weight: ArrayLike | None = None,
        group: Sequence[Any] | None = None,
        judge: Sequence[str] | None = None,
        left_first: ArrayLike | None = None,
        dropped: Mapping[str, int] | None = None,
    ) -> Comparisons:
        """Encode names once.

        Args:
            left, right: [n] names of the two systems.
            outcome: [n] 1 left won, -1 right won, 0 tie.
            names: the systems in the order wanted; by default the names that occur, sorted.
            group: [n] labels of clusters, of any kind that sorts.
            judge: [n] names of judges.

        Raises:
            TaskError: a row or a column that cannot be right.
        """
        if len(left) != len(right):
            raise TaskError(f"{len(left)} names at the left and {len(right)} at the right; there must be as many")
        known = tuple(names) if names is not None else tuple(sorted({*left, *right}))
        code = {name: i for i, name in enumerate(known)}
        for column, labels in (("left", left), ("right", right)):
            for row, name in enumerate(labels, 1):
                if name not in code:
                    raise TaskError(f"row {row}, column {column}: {name!r} is not among the names given")
        judges = tuple(sorted(set(judge))) if judge is not None else ()
        return cls(
            known,
            np.fromiter((code[name] for name in left), np.int32, len(left)),
            np.fromiter((code[name] for name in right), np.int32, len(right)),
            np.asarray(outcome),
            None if weight is None else np.asarray(weight, dtype=np.float64),
            None if group is None else np.unique(np.asarray(group), return_inverse=True)[1].astype(np.int32),
            None if judge is None else np.searchsorted(np.asarray(judges), np.asarray(judge)).astype(np.int32),
            judges,
            None if left_first is None else np.asarray(left_first, dtype=np.bool_),
            dict(dropped or {}),
        )

    def __len__(self) -> int:
        return len(self.left)

    def take(self, rows: NDArray[Any]) -> Comparisons:
        """The comparisons of these rows (indices or a mask), in this order, over the same names."""
        columns = ("left", "right", "outcome", "weight", "group", "judge", "left_first")
        picked: dict[str, Any] = {c: getattr(self, c)[rows] for c in columns if getattr(self, c) is not None}
        return replace(self, **picked)


@dataclass(frozen=True, eq=False)
class Rankings:
    """Rankings of several systems at a time, one a row.

    Attributes:
        names: the systems; codes are positions in it.
        order: [n, K] codes, best first; -1 after the last one where a row ranks fewer than K.
        tied: [n, K] is this one as good as the one before it? None: no ties.
        group, judge, judges: as in `Comparisons`.

    Raises:
        TaskError: a row that cannot be right; rows are counted from 1.
    """

    names: tuple[str, ...]
    order: NDArray[Any]
    tied: NDArray[np.bool_] | None = None
    group: NDArray[Any] | None = None
    judge: NDArray[Any] | None = None
    judges: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_names(self.names)
        if self.order.ndim != 2 or not self.order.size:
            raise TaskError(f"order has the shape {self.order.shape}; it must be [rankings, systems] and not empty")
        _check_codes("order", self.order.ravel(), -1, len(self.names), width=self.order.shape[1])
        there = self.order >= 0
        ordered = np.sort(self.order, axis=1)
        faults = {
            "a place after an empty one is taken": (there[:, 1:] & ~there[:, :-1]).any(axis=1),
            "a system stands there twice": ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1),
            "fewer than two systems are ranked": there.sum(axis=1) < 2,
        }
        for fault, bad in faults.items():
            if bad.any():
                raise TaskError(f"row {int(np.argmax(bad)) + 1}: {fault}")
        if self.tied is not None and self.tied.shape != self.order.shape:
            raise TaskError(f"tied has the shape {self.tied.shape}, order has {self.order.shape}")
        for column in ("group", "judge"):
            values = getattr(self, column)
            if values is not None and values.shape != (len(self.order),):
                raise TaskError(f"{column} has the shape {values.shape} for {len(self.order)} rankings")
        _check_codes("judge", self.judge, 0, len(self.judges))

    def __len__(self) -> int:
        return len(self.order)

    def pairs(self) -> Comparisons:
        """All comparisons of two that the rankings imply. One ranking's comparisons depend on each other: where there
        is no group, each ranking is one."""
        n, k = self.order.shape
        before, after = np.triu_indices(k, 1)
        level = np.zeros((n, k), dtype=np.int64)
        level[:, 1:] = np.cumsum(np.ones((n, k - 1), dtype=bool) if self.tied is None else ~self.tied[:, 1:], axis=1)
        row, pair = np.nonzero(self.order[:, after] >= 0)
        return Comparisons(
            self.names,
            self.order[row, before[pair]].astype(np.int32),
            self.order[row, after[pair]].astype(np.int32),
            (level[row, after[pair]] > level[row, before[pair]]).astype(np.int8),
            group=(np.arange(n) if self.group is None else self.group)[row].astype(np.int32),
            judge=None if self.judge is None else self.judge[row],
            judges=self.judges,
        )


@dataclass(frozen=True, eq=False)
class Counts:
    """Who beat whom how often, by weight.

    Attributes:
        wins: [k, k] weight with which the row's system beat the column's.
        ties: [k, k] weight of ties, symmetric.
        squared_wins, squared_ties: the same sums over squared weights, which robust covariances need; equal to `wins`
            and `ties` where every row counts once.
        n: number of rows with a weight above 0.
    """

    names: tuple[str, ...]
    wins: NDArray[np.float64]
    ties: NDArray[np.float64]
    squared_wins: NDArray[np.float64]
    squared_ties: NDArray[np.float64]
    n: int

    @property
    def points(self) -> NDArray[np.float64]:
        """[k, k] wins, a tie as half a win for each."""
        return self.wins + self.ties / 2

    @property
    def matches(self) -> NDArray[np.float64]:
        """[k, k] comparisons of each pair, ties among them; symmetric."""
        return self.wins + self.wins.T + self.ties


def count(comparisons: Comparisons) -> Counts:
    """Count once; `Counts` then stands for the comparisons wherever their order does not matter."""
    weight = comparisons.weight
    if weight is None:
        wins, ties = _fold(tally(comparisons))
        return Counts(comparisons.names, wins, ties, wins, ties, len(comparisons))
    wins, ties = _fold(tally(comparisons, weight))
    squared_wins, squared_ties = _fold(tally(comparisons, weight**2))
    return Counts(comparisons.names, wins, ties, squared_wins, squared_ties, int(np.count_nonzero(weight)))


def tally(comparisons: Comparisons, weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """[k, k, 3] rows, or their weight, by left, right and outcome (right won, tie, left won)."""
    k = len(comparisons.names)
    total = np.zeros(3 * k * k, dtype=np.float64 if weight is not None else np.int64)
    step = max(_CHUNK, 3 * k * k)
    for start in range(0, len(comparisons), step):
        rows = slice(start, start + step)
        part = None if weight is None else weight[rows]
        total += np.bincount(cells(comparisons, rows), part, minlength=3 * k * k)
    return total.reshape(k, k, 3).astype(np.float64)


def cells(comparisons: Comparisons, rows: slice = slice(None)) -> NDArray[np.intp]:
    """[rows] number of the cell of `tally` that each comparison falls in."""
    code = comparisons.left[rows].astype(np.intp)
    code *= len(comparisons.names)
    code += comparisons.right[rows]
    code *= 3
    code += comparisons.outcome[rows]
    code += 1
    return code


def _fold(cells: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cells[:, :, 2] + cells[:, :, 0].T, cells[:, :, 1] + cells[:, :, 1].T


def _check_names(names: tuple[str, ...]) -> None:
    if len(names) < 2:
        raise TaskError(f"only one system ({', '.join(names) or 'none'}): a ranking needs at least two")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise TaskError(f"the names hold {twice!r} twice")


def _check_codes(column: str, codes: NDArray[Any] | None, low: int, high: int | None, *, width: int = 1) -> None:
    if codes is None:
        return
    if not np.issubdtype(codes.dtype, np.integer):
        raise TaskError(f"column {column}: codes are {codes.dtype}; they must be integers")
    if codes.min() >= low and (high is None or codes.max() < high):
        return
    row = int(np.argmax((codes < low) | (codes >= (high if high is not None else np.inf))))
    limits = f"from {low}" + ("" if high is None else f" to {high - 1}")
    raise TaskError(f"row {row // width + 1}, column {column}: {codes[row]} is not a code {limits}")
