"""Do the comparisons identify the strengths? What stands in the way is named.

Source: Ford, "Solution of a Ranking Problem from Binary Comparisons", American Mathematical Monthly 1957: the strengths
of the Bradley-Terry model exist and are unique when, however the systems are split in two, some of each part have
beaten (or tied with) some of the other; that is, when the graph of wins is strongly connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from whetstone.ranking.comparisons import Counts


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What the comparisons leave open, by name.

    Attributes:
        part: [k] code of the part that a system belongs to; no chain of comparisons leads from one part to another.
        alone: systems that were never compared.
        parts: the parts of at least two systems; more than one means that the data are disconnected.
        unbeaten: groups of systems that never lost or tied outside their group; mostly single, undefeated systems.
        beaten: groups that never won or tied outside their group; mostly single, winless systems.
    """

    part: NDArray[np.intp]
    alone: tuple[str, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    unbeaten: tuple[tuple[str, ...], ...] = ()
    beaten: tuple[tuple[str, ...], ...] = ()

    @property
    def connected(self) -> bool:
        """Is there a chain of comparisons between any two?"""
        return not self.part.any()

    @property
    def identified(self) -> bool:
        """Has the likelihood one maximum?"""
        return self.connected and not self.unbeaten

    def sentences(self) -> tuple[str, ...]:
        """What is wrong in words; nothing where the strengths are identified."""
        found = []
        if self.alone:
            found.append(f"never compared: {listed(self.alone)}")
        if len(self.parts) > 1:
            found.append(f"no comparison connects: {' | '.join(listed(part, most=4) for part in self.parts)}")
        ends = (("lost", self.unbeaten), ("won", self.beaten))
        single = [(word, tuple(group[0] for group in groups if len(group) == 1)) for word, groups in ends]
        if any(names for _, names in single):
            found += [f"never {word} (nor tied): {listed(names)}" for word, names in single if names]
        else:
            found += [f"never {word} (nor tied) outside their group: {listed(g)}" for word, gs in ends for g in gs]
        return tuple(found)


def diagnose(counts: Counts) -> Diagnosis:
    """Find systems and groups whose strength the counts do not identify."""
    beat = counts.points > 0
    k = len(beat)
    if identified(beat):
        return Diagnosis(np.zeros(k, dtype=np.intp))
    graph = scipy.sparse.csgraph
    _, part = graph.connected_components(beat, directed=False)
    _, group = graph.connected_components(beat, directed=True, connection="strong")
    members = {code: np.flatnonzero(group == code) for code in range(group.max() + 1)}
    named = {code: tuple(counts.names[i] for i in where) for code, where in members.items()}
    parts = [tuple(counts.names[i] for i in np.flatnonzero(part == code)) for code in range(part.max() + 1)]
    played = {code for code, where in members.items() if (part == part[where[0]]).sum() > len(where)}
    return Diagnosis(
        part.astype(np.intp),
        tuple(names[0] for names in parts if len(names) == 1),
        tuple(names for names in parts if len(names) > 1),
        tuple(named[c] for c, i in members.items() if c in played and not beat[np.ix_(group != c, i)].any()),
        tuple(named[c] for c, i in members.items() if c in played and not beat[np.ix_(i, group != c)].any()),
    )


def identified(beat: NDArray[np.bool_]) -> bool:
    """Is the graph strongly connected in which the row's system beat, or tied with, the column's?"""
    return _reach_all(beat) and _reach_all(beat.T)


def listed(names: Sequence[str], *, most: int = 8) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _reach_all(arcs: NDArray[np.bool_]) -> bool:
    """Can every system be reached from the first along these arcs?"""
    reached = np.zeros(len(arcs), dtype=bool)
    reached[0] = True
    new = reached
    while new.any():
        new = arcs[new].any(axis=0) & ~reached
        reached = reached | new
    return bool(reached.all())
