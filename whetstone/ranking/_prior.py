"""What a fit of strengths rests on: the data alone, or a stated prior where the data do not identify the strengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.diagnosis import diagnose
from whetstone.ranking.strengths import STEPPING_IN


@dataclass(frozen=True, eq=False)
class Grounds:
    """Attributes:
    weight: comparisons that each system plays, half won, against an imagined one of strength 0.
    robust: can the spread of residuals be trusted? Not where the data do not identify the strengths: residuals then
        vanish where the uncertainty is largest.
    part: [k] systems of different parts are placed by the prior alone.
    notes: who stands in the way, by name, and what prior there is.
    """

    weight: float
    robust: bool
    part: NDArray[np.intp]
    notes: tuple[str, ...]

    @property
    def free(self) -> int:
        """Number of strengths whose sum the likelihood leaves open: all, or none under a prior."""
        return 0 if self.weight else len(self.part)

    def anchor(self, strengths: Floats) -> tuple[float, Floats, Floats]:
        """Log prior, its gradient [k] and its information [k, k] in strengths that are log odds."""
        chance = scipy.special.expit(strengths)
        value = float((scipy.special.log_expit(strengths) - strengths / 2).sum())
        return self.weight * value, self.weight * (0.5 - chance), np.diag(self.weight * chance * (1 - chance))


def grounds_of(counts: Counts, prior: float | None) -> Grounds:
    """What a fit to these counts may rest on.

    Args:
        counts: who beat whom; a tie links both ways.
        prior: the weight that the caller asked for; None: 0 where the data identify the strengths, else 1.

    Raises:
        ConfigError: the prior is no number from 0 up.
        TaskError: the prior is 0 where the data do not identify the strengths.
    """
    if prior is not None and not (np.isfinite(prior) and prior >= 0):
        raise ConfigError(f"prior is {prior}; it must be a number from 0 up")
    found = diagnose(counts)
    notes = found.sentences()
    if prior == 0 and not found.identified:
        raise TaskError(f"the comparisons do not identify the strengths; {'; '.join(notes)}; leave out prior=0")
    weight = prior if prior is not None else 0.0 if found.identified else STEPPING_IN
    if weight:
        words = f"{weight:g} comparison{'s' * (weight != 1)}, half won and half lost"
        notes += (f"scores rest on a prior: each system was given {words}, against an imagined one of strength 0",)
    return Grounds(weight, found.identified, found.part, notes)
