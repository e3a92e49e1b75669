"""Voters who know the truth up to noise: planted skills, varying outputs, ties, liking for a position, carelessness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.schedules.schedule import Codes, Judge, Matches


@dataclass(frozen=True, eq=False)
class Voters:
    """Voters by what they see.

    With the defaults two systems win against each other as in a Bradley-Terry model of their skills, and rankings of
    more follow Plackett and Luce.

    Attributes:
        skills: [k] natural log-odds.
        spread: standard deviation of the quality of a system's outputs around its skill, from item to item.
        noise: scale of the (Gumbel) error with which an output is judged; 0: none.
        tie: performances closer than this are tied.
        position: log-odds by which the first shown is favoured over the last; those between in proportion.
        careless: share of votes cast at random.

    Raises:
        ConfigError: a setting that is negative, or a share above 1.
    """

    skills: NDArray[np.float64]
    spread: float = 0.0
    noise: float = 1.0
    tie: float = 0.0
    position: float = 0.0
    careless: float = 0.0

    def __post_init__(self) -> None:
        if min(self.spread, self.noise, self.tie, self.careless) < 0 or self.careless > 1:
            raise ConfigError("spread, noise and tie of voters are 0 or more, careless is a share from 0 to 1")

    def judge(self, *, seed: int = 0) -> Judge:
        """Someone who decides matches; an output keeps its quality whenever it is judged again."""
        outputs, votes = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
        quality = np.zeros((0, len(self.skills)))

        def decide(matches: Matches) -> Codes:
            nonlocal quality
            new = int(matches.item.max()) + 1 - len(quality)
            if self.spread and new > 0:
                new = max(new, len(quality))
                drawn = self.skills + self.spread * outputs.standard_normal((new, len(self.skills)))
                quality = np.concatenate([quality, drawn])
            seen = quality[matches.item[:, None], matches.systems] if self.spread else self.skills[matches.systems]
            size = seen.shape[1]
            seen = seen + self.position * (1 - np.arange(size) / (size - 1))
            seen = seen + self.noise * votes.gumbel(size=seen.shape)
            if self.careless:
                at_random = votes.random(len(seen)) < self.careless
                blind = np.argsort(votes.random(seen.shape), axis=1) * (self.tie + 1)
                seen = np.where(at_random[:, None], blind, seen)
            return _places(seen, self.tie)

        return decide


def _places(performance: NDArray[np.float64], tie: float) -> Codes:
    """[m, K] places: one more than the gaps above that are wider than a tie."""
    order, row = np.argsort(-performance, axis=1), np.arange(len(performance))[:, None]
    ranked = performance[row, order]
    places = np.zeros(order.shape, dtype=np.intp)
    places[row, order[:, 1:]] = np.cumsum(ranked[:, :-1] - ranked[:, 1:] > tie, axis=1)
    return places
