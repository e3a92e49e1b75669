"""Strengths fitted to counts, with what they rest on: the data alone, or a prior that is stated."""

from __future__ import annotations

from dataclasses import dataclass

from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.diagnosis import Diagnosis, diagnose
from whetstone.ranking.likelihood import Fit, Pairs, maximise, model_of, ties_separate
from whetstone.ranking.ties import TIES, Outcomes

STEPPING_IN = 1.0
"""Weight of the prior where the data do not identify the strengths."""


@dataclass(frozen=True, eq=False)
class Strengths:
    """A fit and its grounds.

    Attributes:
        robust: can the spread of residuals be trusted? Not where the data do not identify the strengths, or all
            comparisons are ties: residuals then vanish where the uncertainty is largest.
        notes: who stands in the way, by name, and what prior stepped in.
    """

    model: Outcomes
    pairs: Pairs
    fit: Fit
    diagnosis: Diagnosis
    robust: bool
    notes: tuple[str, ...]


def fit_strengths(counts: Counts, *, ties: str = "half", prior: float | None = None) -> Strengths:
    """Fit a model of comparisons; under a prior where one is asked for or the data leave no other way.

    Args:
        ties: a name of `TIES`.
        prior: comparisons, half won and half lost, that each system gets against an imagined one of strength 0.
            None: none where the data identify the strengths, else 1; 0: never.

    Raises:
        TaskError: with `prior=0`, data that do not identify the strengths; they are named.
    """
    pairs = Pairs.of(counts)
    model = model_of(ties, pairs)
    found = diagnose(counts)
    notes = list(found.sentences())
    spread = model.has_tie_parameter and ties_separate(pairs)
    fit = maximise(model, pairs, prior=prior or 0.0) if prior or (found.identified and not spread) else None
    identified = found.identified and fit is not None
    if found.identified and fit is None:
        notes.append("ties set every pair that tied apart from every pair that did not: no strengths are most likely")
    if fit is None:
        if prior is not None:
            raise TaskError(f"the comparisons do not identify the strengths; {'; '.join(notes)}; leave out prior=0")
        fit = maximise(model, pairs, prior=STEPPING_IN)
        assert fit is not None, "under a prior the likelihood has a maximum"
    if fit.prior:
        given = f"{fit.prior:g} comparison{'s' * (fit.prior != 1)}, half won and half lost"
        notes.append(f"scores rest on a prior: each system was given {given}, against an imagined one of strength 0")
    if not found.connected:
        notes.append("systems that no comparison connects are placed by the prior alone and never told apart")
    decided = bool(pairs.counts[[0, 2]].any())
    if not decided:
        notes.append("every comparison is a tie")
    if model is not TIES[ties]:
        notes.append("no tie parameter was fitted: it takes ties and wins")
    return Strengths(model, pairs, fit, found, identified and decided, tuple(notes))
