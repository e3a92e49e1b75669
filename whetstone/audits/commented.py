"""Commented answers, and how measures fare against comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whetstone.audits.evaluating import cluster, labels
from whetstone.core.types import Case, Finding
from whetstone.stats import finding, proportion

Arm = tuple[int, Sequence[str], Sequence[tuple[Sequence[bool], Sequence[bool]]]]


@dataclass(frozen=True, slots=True)
class Commented:
    """An answer, what people say about it, and its cluster."""

    answer: str
    comments: tuple[str, ...]
    group: str


@dataclass(frozen=True, slots=True)
class Aspect:
    """A behaviour that a comment speaks of, and whether it is liked."""

    text: str
    liked: bool


def commented(cases: Sequence[Case]) -> list[Commented]:
    """First candidates with their comments, or all candidates with what right and wrong say about them."""
    found = []
    for case in cases:
        given = case.example.meta.get("comments")
        if isinstance(given, Sequence) and not isinstance(given, str):
            said = [tuple(map(str, given))]
        else:
            said = [() if right is None else ("It is right." if right else "It is wrong.",) for right in labels(case)]
        pairs = zip(case.candidates, said, strict=False)
        found += [
            Commented(candidate.text, comments, cluster(case.example)) for candidate, comments in pairs if comments
        ]
    return found


def scored(arms: Sequence[Arm], groups: Sequence[str]) -> list[Finding]:
    """Coverage and redundancy of induced measures.

    Args:
        arms: for each size its measures, and for each held-out answer which aspects a trait matches and which traits an
            aspect matches. A trait is a measure that an answer does well or badly by.
        groups: cluster of each held-out answer.

    Returns:
        `coverage/SIZE`: share of the aspects of comments that a trait of the same sign matches; `redundancy/SIZE`:
        share of the traits that no aspect matches; `best_size`: the size with the highest difference of the two, with
        its measures in the detail. Shares are over all answers together.
    """
    found, gains = [], {}
    for size, metrics, answers in arms:
        covered = [(float(hit), group) for (aspects, _), group in zip(answers, groups, strict=True) for hit in aspects]
        idle = [(float(not hit), group) for (_, traits), group in zip(answers, groups, strict=True) for hit in traits]
        for name, values in (("coverage", covered), ("redundancy", idle)):
            estimate = proportion([value for value, _ in values], groups=[group for _, group in values])
            told = "" if values else "not measured: there is nothing to match"
            found.append(finding(f"{name}/{size}", estimate, verdict=told, metrics=list(metrics)))
        if covered:
            gains[size] = sum(v for v, _ in covered) / len(covered) - sum(v for v, _ in idle) / max(len(idle), 1)
    if gains:
        best = max(gains, key=lambda size: (gains[size], -size))
        metrics = next(list(metrics) for size, metrics, _ in arms if size == best)
        found.append(
            Finding("best_size", float(best), None, len(groups), detail={"gain": gains[best], "metrics": metrics})
        )
    return found
