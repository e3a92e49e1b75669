"""What every ranking method returns: scores with their uncertainty, ranks, tiers, and notes in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from whetstone.core.types import Json


@dataclass(frozen=True, eq=False)
class Ranking:
    """Systems by strength. What a method does not know is None, never 0.

    Attributes:
        method: name of the method.
        names: the systems; every array is in this order.
        scores: [k] strength, higher is better; the scale is the method's (settings say which).
        covariance: [k, k] of the scores.
        low, high: [k] confidence limits of each score; `settings["level"]` is their level.
        rank_low, rank_high: [k] best and worst rank (from 1) that the data leave open for each system, all of them
            right at once with the confidence `settings["level"]`.
        tier: [k] from 1, the best; systems of one tier could not be told apart.
        n: number of comparisons that the scores rest on.
        settings: how the ranking was made: options, level, seed, kind of covariance.
        notes: what else to know before using it, in words: dropped rows, systems without a win, parts of the data
            that are not connected, a prior that had to step in.
    """

    method: str
    names: tuple[str, ...]
    scores: NDArray[np.float64]
    covariance: NDArray[np.float64] | None = None
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    rank_low: NDArray[np.intp] | None = None
    rank_high: NDArray[np.intp] | None = None
    tier: NDArray[np.intp] | None = None
    n: int = 0
    settings: Mapping[str, Json] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> NDArray[np.intp]:
        """[k] positions in `names`, best first; equal scores by name."""
        return np.lexsort((np.argsort(np.argsort(np.asarray(self.names))), -self.scores))

    def rescaled(self, *, factor: float, offset: float = 0.0, scale: str) -> Ranking:
        """The same ranking with scores times `factor` plus `offset`; settings call the scale `scale`."""
        return replace(
            self,
            scores=self.scores * factor + offset,
            covariance=None if self.covariance is None else self.covariance * factor**2,
            low=None if self.low is None else self.low * factor + offset,
            high=None if self.high is None else self.high * factor + offset,
            settings={**self.settings, "scale": scale},
        )
