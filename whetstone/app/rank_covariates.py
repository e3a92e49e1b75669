"""Covariates of battles that flags name: lengths and style of the two answers, families of judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.covariates import difference, same_family
from whetstone.ranking.reading import read_measures
from whetstone.ranking.tables import column_names

LENGTHS = (
    *((f"{name}_a", f"{name}_b") for name in ("length", "len", "tokens", "chars", "words")),
    ("length_left", "length_right"),
    ("first_length", "second_length"),
)
"""Columns that hold the lengths of the two answers, the first two that are there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may sway the judges.

    Attributes:
        length: the ratio of the answers' lengths, in columns of `LENGTHS`.
        measures: name -> `LEFT/RIGHT` (two columns of which the ratio matters) or `LEFT-RIGHT` (the difference).
        families: system or judge -> family, for whether judges favour their own.
    """

    length: bool = False
    measures: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.length or self.measures or self.families)


def covariates(
    path: Path,
    wanted: Wanted,
    *,
    columns: Mapping[str, str] | None = None,
    drop_both_bad: bool = False,
    anonymous_only: bool = True,
) -> tuple[Comparisons, dict[str, NDArray[np.float64]]]:
    """The battles of a file, and by name [n] the covariates, for `contextual_bradley_terry`.

    Raises:
        ConfigError: columns that are not there, or families of nobody.
        TaskError: a value that cannot be used, by row and column.
    """
    there = column_names(path)
    sides = {name: _sides(name, text, there) for name, text in wanted.measures.items()}
    if wanted.length:
        found = next((pair for pair in LENGTHS if set(pair) <= set(there)), None)
        if found is None:
            raise ConfigError(
                f"--length: no two columns are called {' and '.join(LENGTHS[0])}; name them: --covariate length=A/B "
                f"(there are {', '.join(there)[:200]})"
            )
        sides = {"length": (*found, True)} | sides
    battles, numbers = read_measures(
        path,
        [column for left, right, _ in sides.values() for column in (left, right)],
        columns=columns,
        drop_both_bad=drop_both_bad,
        anonymous_only=anonymous_only,
    )
    made = {}
    for name, (left, right, relative) in sides.items():
        try:
            made[name] = difference(numbers[left], numbers[right], relative=relative)
        except TaskError as error:
            raise TaskError(f"{path}: {left} and {right}: {error}; write {name}={left}-{right}") from None
    if wanted.families:
        known = {*battles.names, *battles.judges}
        strange = sorted(set(wanted.families) - known)
        if strange:
            raise ConfigError(f"--family: nobody is called {strange[0]!r}; there are {', '.join(sorted(known))[:300]}")
        made["own family"] = same_family(battles, wanted.families)
    return battles, made


def _sides(name: str, text: str, there: Sequence[str]) -> tuple[str, str, bool]:
    """`LEFT/RIGHT` or `LEFT-RIGHT` as two columns, and is it their ratio that matters?"""
    for i, sign in enumerate(text):
        left, right = text[:i].strip(), text[i + 1 :].strip()
        if sign in "/-" and left in there and right in there:
            return left, right, sign == "/"
    raise ConfigError(
        f"--covariate {name}={text}: write {name}=LEFT/RIGHT for a ratio or {name}=LEFT-RIGHT for a difference of two "
        f"columns; there are {', '.join(there)[:200]}"
    )
