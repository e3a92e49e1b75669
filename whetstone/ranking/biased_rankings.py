"""Simulated rankings in which one group of items is seen as worse than it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking.comparisons import Rankings


def biased_rankings(
    names: tuple[str, ...],
    quality: NDArray[np.float64],
    disadvantaged: NDArray[np.bool_],
    *,
    n: int,
    bias: float,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[Rankings, Rankings]:
    """Rankings by perceived quality, and the same rankings without the bias.

    Args:
        names: [k] items.
        quality: [k] above 0.
        disadvantaged: [k] whose quality is multiplied by `bias` in every ranking.
        n: number of rankings.
        bias: within (0, 1]; 1 is no bias.
        noise: standard deviation of the logarithm of each ranking's own error on each item.

    Source: "Subset Selection Based On Multiple Rankings in the Presence of Bias" (multiplicative bias on utilities).
    """
    if not 0 < bias <= 1:
        raise ConfigError(f"bias must lie above 0 and be at most 1, not {bias}")
    rng = np.random.default_rng(seed)
    perceived = np.log(quality) + rng.normal(0, noise, (n, len(names)))
    pressed = perceived + np.log(bias) * disadvantaged
    biased, unbiased = (np.argsort(-seen, axis=1, kind="stable") for seen in (pressed, perceived))
    return Rankings(names, biased), Rankings(names, unbiased)
