"""Scores of several systems on several tasks: what the rules of social choice read. Each task is a voter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Rankings

Ties = Literal["best", "worst", "average"]


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of systems on tasks, higher is better. A score that is missing is NaN.

    Attributes:
        names: the k systems.
        tasks: the t tasks (or items, or voters).
        scores: [k, t] NaN where a system has no score on a task.
        weights: [t] finite and not negative; None: every task counts once.
        groups: [t] name of the group that each task belongs to, for the rules with two steps; None: no groups.

    Raises:
        TaskError: a row or a column that cannot be right.
    """

    names: tuple[str, ...]
    tasks: tuple[str, ...]
    scores: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        k, t = len(self.names), len(self.tasks)
        if k < 2 or t < 1:
            raise TaskError(f"a table of {k} systems and {t} tasks: a ranking needs two systems and one task")
        if self.scores.shape != (k, t):
            raise TaskError(f"scores have the shape {self.scores.shape}, the names make it {(k, t)}")
        for what, labels in (("system", self.names), ("task", self.tasks)):
            if len(set(labels)) < len(labels):
                twice = next(label for i, label in enumerate(labels) if label in labels[:i])
                raise TaskError(f"{what} {twice!r} stands in the table twice")
        if np.isinf(self.scores).any():
            row, column = np.argwhere(np.isinf(self.scores))[0]
            raise TaskError(f"{self.names[row]!r}, {self.tasks[column]!r}: an infinite score; leave it empty (NaN)")
        empty = np.isnan(self.scores).all(axis=1)
        if empty.any():
            raise TaskError(f"{self.names[int(np.argmax(empty))]!r} has no score on any task: leave it out")
        if self.weights is not None:
            if self.weights.shape != (t,):
                raise TaskError(f"{self.weights.shape} weights for {t} tasks")
            bad = ~(np.isfinite(self.weights) & (self.weights >= 0))
            if bad.any():
                column = int(np.argmax(bad))
                raise TaskError(f"task {self.tasks[column]!r}: weight {self.weights[column]} is not a number from 0 up")
            if not self.weights.any():
                raise TaskError("all tasks have the weight 0, so there is nothing to rank")
        if self.groups is not None and len(self.groups) != t:
            raise TaskError(f"{len(self.groups)} groups for {t} tasks")

    @classmethod
    def from_rankings(cls, rankings: Rankings, weights: NDArray[np.float64] | None = None) -> ScoreTable:
        """Each ranking is a task on which the systems scored by their places; who is not ranked has no score."""
        n, width = rankings.order.shape
        step = np.ones((n, width)) if rankings.tied is None else (~rankings.tied).astype(np.float64)
        step[:, 0] = 0
        place = np.cumsum(step, axis=1)
        scores = np.full((len(rankings.names), n), np.nan)
        row, column = np.nonzero(rankings.order >= 0)
        scores[rankings.order[row, column], row] = -place[row, column]
        return cls(rankings.names, tuple(str(i + 1) for i in range(n)), scores, weights)

    @property
    def weight(self) -> NDArray[np.float64]:
        """[t] weight of each task."""
        return np.ones(len(self.tasks)) if self.weights is None else self.weights

    @property
    def missing(self) -> int:
        """Number of scores that are not there."""
        return int(np.isnan(self.scores).sum())

    def places(self, ties: Ties = "average") -> NDArray[np.float64]:
        """[k, t] place of each system among those that have a score on the task, from 1, the best; NaN without one.

        Args:
            ties: equal scores share the best, the worst or the average of the places that they take up.
        """
        places = np.full(self.scores.shape, np.nan)
        for t, column in enumerate(self.scores.T):
            there = ~np.isnan(column)
            ordered = np.sort(column[there])
            worst = ordered.size - np.searchsorted(ordered, column[there], "left")
            best = ordered.size - np.searchsorted(ordered, column[there], "right") + 1
            places[there, t] = {"best": best, "worst": worst, "average": (best + worst) / 2}[ties]
        return places

    def take(self, systems: Sequence[int] | NDArray[np.intp]) -> ScoreTable:
        """The table of these systems alone, by position. Tasks on which none of them has a score are left out."""
        chosen = np.asarray(systems, dtype=np.intp)
        part = self.scores[chosen]
        used = np.flatnonzero(~np.isnan(part).all(axis=0))
        return ScoreTable(
            tuple(self.names[i] for i in chosen),
            tuple(self.tasks[t] for t in used),
            part[:, used],
            None if self.weights is None else self.weights[used],
            None if self.groups is None else tuple(self.groups[t] for t in used),
        )

    def select(self, tasks: Sequence[int] | NDArray[np.intp]) -> ScoreTable:
        """The table on these tasks alone, by position; a task given twice counts twice."""
        chosen = np.asarray(tasks, dtype=np.intp)
        seen: dict[int, int] = {}
        labels = []
        for t in chosen.tolist():
            seen[t] = seen.get(t, 0) + 1
            labels.append(self.tasks[t] if seen[t] == 1 else f"{self.tasks[t]} ({seen[t]})")
        return replace(
            self,
            tasks=tuple(labels),
            scores=self.scores[:, chosen],
            weights=None if self.weights is None else self.weights[chosen],
            groups=None if self.groups is None else tuple(self.groups[t] for t in chosen),
        )
