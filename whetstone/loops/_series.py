"""How guards read rounds: a metric before training and after each round."""

from __future__ import annotations

from collections.abc import Sequence

from whetstone.core.types import Finding, Round
from whetstone.loops._measure import difference


def series(rounds: Sequence[Round], name: str) -> list[Finding]:
    """The monitored metric before the first round and after every round, where it is known."""
    first = [rounds[0].metrics.get(f"before/{name}")] if rounds else []
    found = [*first, *(r.metrics.get(name) for r in rounds)]
    return [finding for finding in found if finding is not None and finding.estimate is not None]


def latest(rounds: Sequence[Round], name: str) -> Finding | None:
    """The metric in the last round."""
    return rounds[-1].metrics.get(name) if rounds else None


def change(rounds: Sequence[Round], name: str) -> Finding | None:
    """The last round against the weights before training; None until both are known."""
    known = series(rounds, name)
    if len(known) < 2 or latest(rounds, name) is not known[-1]:
        return None
    return difference(name, known[-1], known[0])


def falls(finding: Finding | None) -> bool:
    """Is a change below 0 beyond its interval?"""
    return finding is not None and finding.interval is not None and finding.interval[1] < 0
