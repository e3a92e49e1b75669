"""Votes over final answers."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.types import Candidate, Example, Json, Outcome, Signal, Task
from whetstone.signals.values import unknown
from whetstone.stats import wilson


def tally(answers: Sequence[str | None], weights: Sequence[float] | None = None) -> list[tuple[str, float]]:
    """Answers with the sum of their weights, heaviest first; of equals the one seen first leads.

    Args:
        answers: None is unreadable and casts no vote.
        weights: one each, not negative; 1 when not given.
    """
    sums: dict[str, float] = {}
    for answer, weight in zip(answers, weights or [1.0] * len(answers), strict=True):
        if answer is not None:
            sums[answer] = sums.get(answer, 0.0) + weight
    return sorted(sums.items(), key=lambda pair: -pair[1])


def voted(
    method: str,
    task: Task,
    example: Example,
    trail: Sequence[Candidate],
    weights: Sequence[float] | None = None,
    *,
    winner: str | None = None,
    **provenance: Json,
) -> Outcome:
    """The winning answer with its share of the votes; its text is the first candidate's that gave it.

    Unweighted, the share is of all candidates, readable or not, with Wilson's interval. Weighted, it is of all weight
    that was cast. `winner` names the winner beforehand, for rules that stop at one. Without a readable answer, or when
    no weight was cast, the outcome abstains.
    """
    answers = [task.read(example, candidate.text) for candidate in trail]
    ranking = tally(answers, weights)
    n = len(answers)
    cast = float(n) if weights is None else sum(weight for _, weight in ranking)
    if not ranking or cast <= 0:
        reason = "no vote has any weight" if ranking else "no candidate has a readable answer"
        return Outcome(None, unknown(method, reason, "probability", n=n, **provenance), tuple(trail))
    answer, votes = ranking[0] if winner is None else (winner, dict(ranking)[winner])
    interval = wilson(round(votes), n).interval if weights is None else None
    told: dict[str, Json] = {"method": method, "unreadable": answers.count(None), **provenance}
    confidence = Signal(votes / cast, "probability", n, interval=interval, provenance=told)
    return Outcome(answer, confidence, tuple(trail), trail[answers.index(answer)].text)
