"""What a change breaks: items that were right, or better, before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from whetstone.stats._arrays import Groups, floats, same_length
from whetstone.stats.estimate import Estimate
from whetstone.stats.intervals import proportion
from whetstone.stats.paired import paired_difference


@dataclass(frozen=True, slots=True)
class Flips:
    """Items on which a new system is worse, and those on which it is better, than the old one.

    Attributes:
        negative, positive: shares of all items, with intervals.
        relative: for right/wrong data, the negative flips as a multiple of those that a new system of this accuracy
            would make if its errors were independent of the old one's; None elsewhere and where that is 0.
        regression, gain: mean loss over the negative and mean gain over the positive flips; None without any.
    """

    negative: Estimate
    positive: Estimate
    relative: float | None
    regression: float | None
    gain: float | None


def flips(
    new: ArrayLike, old: ArrayLike, *, tolerance: float = 0.0, groups: Groups | None = None, level: float = 0.95
) -> Flips:
    """Negative and positive flips of an update.

    Args:
        new, old: [n] right/wrong (1/0) or real scores of the same items in the same order.
        tolerance: a difference counts only when it is larger than this.
        groups: [n] cluster of each item.
        level: confidence level.

    Source: Yan et al., "Positive-congruent training: towards regression-free model updates" (2021), section 3 (the
    rate and its relative form); real scores: Echterhoff et al., "MUSCLE: a model update strategy for compatible LLM
    evolution" (2024), section 3.
    """
    after, before = floats(new, "new"), floats(old, "old")
    same_length(new=after, old=before)
    if not tolerance >= 0:
        raise ValueError(f"tolerance must not be negative: {tolerance}")
    difference, _ = paired_difference(after, before)
    worse, better = difference < -tolerance, difference > tolerance
    relative = None
    if after.size and np.isin(after, (0, 1)).all() and np.isin(before, (0, 1)).all():
        expected = float(before.mean() * (1 - after.mean()))
        relative = float(worse.mean()) / expected if expected else None
    return Flips(
        proportion(worse, groups=groups, level=level),
        proportion(better, groups=groups, level=level),
        relative,
        float(-difference[worse].mean()) if worse.any() else None,
        float(difference[better].mean()) if better.any() else None,
    )
