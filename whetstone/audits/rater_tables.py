"""People's ratings in three classes, by metric and rater."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from whetstone.audits.evaluating import finite, labels
from whetstone.core.errors import ConfigError
from whetstone.core.types import Case, Example

MEAN = "the average rater"


@dataclass(frozen=True, slots=True)
class Rated:
    """One answer, and the class (1, 2, 3) that a rater gave it."""

    example: Example
    answer: str
    rating: int


def tables_of(cases: Sequence[Case], low: float, high: float) -> dict[tuple[str, str], list[Rated]]:
    """Rated answers by metric and rater; `MEAN` rates what the raters do on average.

    Raises ConfigError for a scale that has no thirds, TaskError for a rating that is not finite.
    """
    if not low < high:
        raise ConfigError(f"ratings go from {low:g} to {high:g}: low must be below high")
    found: dict[tuple[str, str], list[Rated]] = {}
    for case in cases:
        for candidate, given in zip(case.candidates, ratings_of(case, low, high), strict=False):
            for metric, by_rater in given.items():
                for rater, value in {**by_rater, MEAN: fmean(by_rater.values())}.items():
                    third = min(3, max(1, 1 + int(3 * (value - low) / (high - low))))
                    found.setdefault((metric, rater), []).append(Rated(case.example, candidate.text, third))
    return found


def ratings_of(case: Case, low: float, high: float) -> list[dict[str, dict[str, float]]]:
    """{metric: {rater: number}} of a case's first candidate, or what right and wrong say about all of them.

    Raises TaskError for a rating that is not finite.
    """
    given = case.example.meta.get("rated")
    if not isinstance(given, Mapping):
        known = [None if label is None else high if label else low for label in labels(case)]
        return [{} if value is None else {"correctness": {"the answer key": value}} for value in known]
    table = {metric: row for metric, row in given.items() if isinstance(row, Mapping)}
    numbers = {
        metric: {
            rater: finite(value, f"{case.example.id}: the rating of {metric} by {rater}")
            for rater, value in row.items()
            if isinstance(value, (int, float))
        }
        for metric, row in table.items()
    }
    return [{metric: row for metric, row in numbers.items() if row}]
