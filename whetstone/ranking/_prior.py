"""Does the maximum of the likelihood exist? If not, a stated prior steps in and the systems at fault are named."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError
from whetstone.ranking._newton import Floats
from whetstone.ranking.comparisons import Counts

NAMED = 5


def prior_for(counts: Counts, prior: float | None) -> tuple[float, tuple[str, ...]]:
    """Weight of the prior on strengths, and notes on why there is one.

    Args:
        counts: who beat whom; a tie links both ways.
        prior: what the caller asked for; None: 0 where the maximum exists, 1 where it does not.

    Raises:
        ConfigError: the prior is negative, or 0 where the maximum does not exist.

    Source: the maximum exists if and only if every system is linked to every other by wins (Ford, "Solution of a
    ranking problem from binary comparisons", 1957).
    """
    if prior is not None and not prior >= 0:
        raise ConfigError(f"the weight of the prior must be 0 or more, not {prior}")
    problems = faults(counts)
    if not problems:
        return prior or 0.0, ()
    if prior == 0:
        raise ConfigError(f"no maximum of the likelihood exists ({'; '.join(problems)}): give a prior above 0")
    weight = 1.0 if prior is None else prior
    words = f"fitted as if each had also played {weight:g} comparisons against one of strength 0, half of them won"
    return weight, (*problems, words)


def anchor(strengths: Floats, weight: float) -> tuple[float, Floats, Floats]:
    """Log prior, its gradient [k] and its information [k], of strengths that are log odds.

    Each system plays `weight` comparisons, half won and half lost, against an imagined one of strength 0.
    """
    chance = scipy.special.expit(strengths)
    value = float((scipy.special.log_expit(strengths) - strengths / 2).sum())
    return weight * value, weight * (0.5 - chance), weight * chance * (1 - chance)


def faults(counts: Counts) -> tuple[str, ...]:
    """Why no finite strengths maximise the likelihood, by name; empty where they do."""
    beat = (counts.wins + counts.ties > 0).astype(np.int8)
    parts, part = scipy.sparse.csgraph.connected_components(beat, connection="weak")
    if parts > 1:
        groups = [_named(counts, part == i) for i in range(parts)]
        return (f"{parts} parts without a comparison between them: " + " | ".join(groups[:NAMED]),)
    strong, group = scipy.sparse.csgraph.connected_components(beat, connection="strong")
    if strong == 1:
        return ()
    winless, undefeated = ~beat.any(axis=1), ~beat.any(axis=0)
    found = []
    if winless.any():
        found.append(f"never won: {_named(counts, winless)}")
    if undefeated.any():
        found.append(f"never lost: {_named(counts, undefeated)}")
    rest = f"one group of systems never lost to the rest: {_named(counts, group == _top(beat, group))}"
    return tuple(found) or (rest,)


def _top(beat: NDArray[np.int8], group: NDArray[np.int32]) -> int:
    """The strongly connected group that nobody outside beat."""
    lost = [int(beat[group != i][:, group == i].sum()) for i in range(int(group.max()) + 1)]
    return int(np.argmin(lost))


def _named(counts: Counts, which: NDArray[np.bool_]) -> str:
    names = [counts.names[i] for i in np.flatnonzero(which)]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
