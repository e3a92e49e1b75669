"""From scores and their covariance to intervals, ranks and tiers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.core.types import Json
from whetstone.ranking._covariance import Spread
from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Comparisons, Counts
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.tiers import noise, ranks, separate, tiers

DRAWS = 1000


def ranked(
    method: str,
    names: tuple[str, ...],
    scores: Floats,
    spread: Spread,
    *,
    n: int,
    level: float,
    seed: int,
    settings: Mapping[str, Json],
    notes: tuple[str, ...] = (),
    part: NDArray[np.intp] | None = None,
) -> Ranking:
    """A ranking with limits at `level` for each score, and ranks and tiers that hold at `level` all at once.

    Args:
        spread: covariance of the scores [k, k].
        seed: of the draws that the simultaneous statements are made from.
        part: [k] systems of different parts are never told apart.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level is {level}; it must be between 0 and 1")
    covariance = spread.covariance[: len(names), : len(names)]
    errors = noise(covariance, draws=DRAWS, seed=seed, freedom=spread.freedom)
    better, critical = separate(scores, covariance, errors, level=level, part=part)
    tail = (1 + level) / 2
    quantile = scipy.special.ndtri(tail) if spread.freedom is None else scipy.special.stdtrit(spread.freedom, tail)
    half = float(quantile) * np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    made: dict[str, Json] = {**settings, "level": level, "covariance": spread.kind, "seed": seed, "critical": critical}
    if spread.freedom is not None:
        made["clusters"] = int(spread.freedom) + 1
    said = (*notes, *spread.notes)
    return Ranking(
        method, names, scores, covariance, scores - half, scores + half, *ranks(better), tiers(better), n, made, said
    )


def left_out(*data: Comparisons | Counts) -> tuple[str, ...]:
    """Notes on the rows of the source that the comparisons do not hold; counts no longer know of them."""
    dropped: Counter[str] = Counter()
    for part in data:
        dropped.update(part.dropped if isinstance(part, Comparisons) else {})
    return tuple(f"{number} rows not used: {reason}" for reason, number in dropped.items() if number)
