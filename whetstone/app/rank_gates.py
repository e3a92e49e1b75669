"""Demands on a ranking that decide an exit status: `new > old`, `new >= old`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy.special import stdtr, stdtrit

from whetstone.core.errors import ConfigError
from whetstone.ranking.comparisons import Counts
from whetstone.ranking.diagnosis import diagnose
from whetstone.ranking.ranking import Ranking
from whetstone.stats.multiple import holm


@dataclass(frozen=True, slots=True)
class Gate:
    """A demand on two systems, and whether it holds.

    Attributes:
        rule: "better": the first must be shown to be better; "no-regression": it must not be shown to be worse.
        difference, low, high: of the scores, first minus second, with its own interval.
        p: of no difference, two-sided; `adjusted` by Holm for the number of gates. None where nothing connects the two.
    """

    text: str
    first: str
    second: str
    rule: Literal["better", "no-regression"]
    holds: bool
    difference: float
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None


def tested(ranking: Ranking, counts: Counts, texts: Sequence[str], *, instead: str) -> tuple[Gate, ...]:
    """Test each demand on the ranking's own covariance; `instead` is a method that has one for such data.

    Raises:
        ConfigError: a demand that cannot be read, or scores whose uncertainty is not known.
    """
    if not texts:
        return ()
    if ranking.covariance is None:
        raise ConfigError(
            f"{ranking.method} gives no covariance of its scores, so that --gate has nothing to test with; use "
            f"--method {instead}"
        )
    level = float(str(ranking.settings["level"]))
    clusters = ranking.settings.get("clusters")
    freedom = math.inf if clusters is None else float(str(clusters)) - 1
    part = diagnose(counts).part
    found = []
    for text in texts:
        first, second, rule = read_gate(text, ranking.names)
        i, j = ranking.names.index(first), ranking.names.index(second)
        difference = float(ranking.scores[i] - ranking.scores[j])
        covariance = ranking.covariance
        error = math.sqrt(max(0.0, float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])))
        where = [counts.names.index(name) for name in (first, second)]
        linked = part[where[0]] == part[where[1]] and error > 0
        p = 2 * float(stdtr(freedom, -abs(difference) / error)) if linked else None
        reach = float(stdtrit(freedom, (1 + level) / 2)) * error
        low, high = (difference - reach, difference + reach) if linked else (None, None)
        found.append(Gate(text, first, second, rule, False, difference, low, high, p, None))
    adjusted = holm([gate.p for gate in found])
    return tuple(
        replace(gate, adjusted=p, holds=_holds(gate, p, level)) for gate, p in zip(found, adjusted, strict=True)
    )


def _holds(gate: Gate, p: float | None, level: float) -> bool:
    apart = p is not None and p < 1 - level
    return apart and gate.difference > 0 if gate.rule == "better" else not (apart and gate.difference < 0)


def read_gate(text: str, names: Sequence[str]) -> tuple[str, str, Literal["better", "no-regression"]]:
    """`a > b` or `a >= b` as the two systems and the rule.

    Raises:
        ConfigError: no such form, or an unknown system.
    """
    unknown = ""
    for at in (i for i, character in enumerate(text) if character == ">"):
        strict = text[at + 1 : at + 2] != "="
        first, second = text[:at].strip(), text[at + 1 + (not strict) :].strip()
        if first in names and second in names and first != second:
            return first, second, "better" if strict else "no-regression"
        unknown = unknown or next((name for name in (first, second) if name not in names), "")
    if unknown:
        raise ConfigError(f"--gate {text!r}: no system is called {unknown!r}; there are {', '.join(names)[:200]}")
    raise ConfigError(f"--gate {text!r} names no two systems; write --gate 'new > old' or --gate 'new >= old'")


def two_names(text: str, sign: str, names: Sequence[str], flag: str) -> tuple[str, str]:
    """Two systems, with a sign between them that names may hold too.

    Raises:
        ConfigError: no such form, or an unknown system.
    """
    unknown = ""
    for at in (i for i, character in enumerate(text) if character == sign):
        first, second = text[:at].strip(), text[at + 1 :].strip()
        if first in names and second in names and first != second:
            return first, second
        unknown = unknown or next((name for name in (first, second) if name not in names), "")
    what = f"no system is called {unknown!r}" if unknown else f"write two systems, {flag} 'new{sign} old'"
    raise ConfigError(f"{flag} {text!r}: {what}; there are {', '.join(names)[:200]}")
