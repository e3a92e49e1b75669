"""Does a judge favour a system beyond what its confusions explain? Seen where a human voted too."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking._misread import Misread
from whetstone.ranking._newton import Floats
from whetstone.ranking.diagnosis import listed
from whetstone.stats.multiple import holm


def favourites(
    votes: Misread, confusions: Floats, names: tuple[str, ...], judges: tuple[str, ...], *, level: float
) -> tuple[str, ...]:
    """Sentences on judges that vote for or against a system more often than the human's vote and the order shown say.

    For each judge and system, the sum of judge's vote minus its expectation is compared with its standard deviation
    under the confusions; all of these tests together err with chance 1 - level at most.
    """
    both = np.flatnonzero((votes.judge >= 0) & (votes.said >= 0))
    judge, weight, k = votes.judge[both], votes.rows.weight[both], votes.rows.k
    values = np.asarray(votes.outcomes, dtype=np.float64)
    chance = confusions[judge, votes.said[both]]
    expected = chance @ values
    surprise = weight * (values[votes.voted[both]] - expected)
    spread = weight**2 * (chance @ values**2 - expected**2)
    cells = len(judges) * k
    total, variance = np.zeros(cells), np.zeros(cells)
    for side, sign in ((votes.rows.left, 1.0), (votes.rows.right, -1.0)):
        cell = judge * k + side[both]
        total += np.bincount(cell, sign * surprise, cells)
        variance += np.bincount(cell, spread, cells)
    z = np.divide(total, np.sqrt(variance), out=np.zeros(cells), where=variance > 0)
    adjusted = holm((2 * scipy.special.ndtr(-np.abs(z))).tolist())
    sure = np.asarray([p is not None and p < 1 - level for p in adjusted]).reshape(len(judges), k)
    return tuple(
        _sentence(name, names, z[j * k : (j + 1) * k], sure[j]) for j, name in enumerate(judges) if sure[j].any()
    )


def _sentence(judge: str, names: tuple[str, ...], z: Floats, sure: NDArray[np.bool_]) -> str:
    parts = [
        f"{verb} {listed(tuple(names[i] for i in np.flatnonzero(sure & (sign * z > 0))))}"
        for verb, sign in (("favours", 1), ("disfavours", -1))
        if (sure & (sign * z > 0)).any()
    ]
    return (
        f"beyond its confusions {judge} {' and '.join(parts)}: its votes do not depend on the human's alone, "
        "which biases these scores; use prediction_powered"
    )
