"""Grades that judges give to systems, task by task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import TaskError


@dataclass(frozen=True, eq=False)
class Grades:
    """Grades on a scale, higher is better. A grade that is missing is NaN.

    Attributes:
        names: the k systems.
        judges: who graded; a judge with the name of a system is a peer.
        tasks: what was graded: tasks, or criteria.
        scores: [judges, k, tasks].

    Raises:
        TaskError: names that do not fit the scores, an infinite grade, a system without any grade.
    """

    names: tuple[str, ...]
    judges: tuple[str, ...]
    tasks: tuple[str, ...]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        expected = (len(self.judges), len(self.names), len(self.tasks))
        if self.scores.shape != expected or 0 in expected:
            raise TaskError(f"grades have the shape {self.scores.shape}; judges, systems and tasks make it {expected}")
        if len(self.names) < 2:
            raise TaskError("only one system is graded: a ranking needs at least two")
        for what, labels in (("system", self.names), ("judge", self.judges), ("task", self.tasks)):
            if len(set(labels)) < len(labels):
                raise TaskError(f"a {what} stands there twice: {', '.join(labels)}")
        if np.isinf(self.scores).any():
            j, i, t = np.argwhere(np.isinf(self.scores))[0]
            raise TaskError(f"{self.judges[j]!r} gives {self.names[i]!r} an infinite grade on {self.tasks[t]!r}")
        empty = np.isnan(self.scores).all(axis=(0, 2))
        if empty.any():
            raise TaskError(f"{self.names[int(np.argmax(empty))]!r} has no grade: leave it out")

    def of_others(self) -> Grades:
        """Without the grades that a system gave itself."""
        own = np.array([[judge == name for name in self.names] for judge in self.judges])
        return Grades(self.names, self.judges, self.tasks, np.where(own[:, :, None], np.nan, self.scores))


def weighted_mean(scores: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis of [judges, ...] by weight [judges], over the grades that are there; NaN without any."""
    there = ~np.isnan(scores)
    heard = np.tensordot(weights, there.astype(np.float64), 1)
    total = np.tensordot(weights, np.where(there, scores, 0.0), 1)
    mean: NDArray[np.float64] = np.divide(total, heard, out=np.full(heard.shape, np.nan), where=heard > 0)
    return mean
