"""A ranking of systems as one value: what the verb prints, draws, writes as JSON and gates on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whetstone.app.rank_data import converted, played, tallied
from whetstone.app.rank_files import Kind, Table
from whetstone.app.rank_gates import Gate, tested, two_names
from whetstone.app.rank_rules import Rules, compared_rules
from whetstone.core.errors import ConfigError
from whetstone.core.registry import Method, load
from whetstone.core.types import Finding, Json
from whetstone.ranking.battles_needed import battles_needed
from whetstone.ranking.comparisons import Comparisons, Counts, Rankings
from whetstone.ranking.misfit import misfit
from whetstone.ranking.ranking import Ranking
from whetstone.ranking.score_table import ScoreTable

Scale = Literal["natural", "elo"]
SCHEMA = "whetstone.ranking/1"
ELO = 400 / math.log(10)
LOG_ODDS = "natural log-odds"
MISFIT = 0.01
WITH_COVARIANCE: Mapping[Kind, str] = {
    "battles": "bradley_terry",
    "rankings": "plackett_luce",
    "scores": "plackett_luce",
}
"""A method that knows the uncertainty of its scores, for what a file holds."""
ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """One system.

    Attributes:
        rank: by score, from 1; systems with the same score share it.
        score: None where the method could not give one.
        low, high: confidence limits of the score.
        rank_interval: best and worst rank that the data leave open, for all systems at once.
        tier: systems of one tier could not be told apart.
        n: battles (or rankings, or scores) that it is part of.
        won, tied, lost: against others, by weight.
    """

    rank: int
    name: str
    score: float | None
    low: float | None
    high: float | None
    rank_interval: tuple[int, int] | None
    tier: int | None
    n: int
    won: float
    tied: float
    lost: float


@dataclass(frozen=True, slots=True)
class Needed:
    """Neighbours that were not told apart, and how many direct comparisons would do it with 80 % power.

    `battles` is None where no number would, and `high` where the interval has no end.
    """

    first: str
    second: str
    battles: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Tested:
    """A judge against people.

    Attributes:
        findings: see `judge_correlation`.
        used: votes of people on whose prompt and pair it has a verdict; `unused` those without.
    """

    judge: str
    findings: tuple[Finding, ...]
    used: int
    unused: int


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A ranking with all that is said about it.

    Attributes:
        source: the file; `kind`: what it holds.
        n: battles, rankings or scores used; `dropped`: rows that were not, by reason.
        systems: the best first.
        needed: for neighbours of one tier, where scores are log-odds.
        asked: the same for pairs that were asked about.
        judges: model judges against the votes of the file.
        notes: diagnoses in words.
    """

    source: str
    kind: Kind
    method: str
    settings: Mapping[str, Json]
    n: int
    dropped: Mapping[str, int]
    systems: tuple[Standing, ...]
    needed: tuple[Needed, ...] = ()
    rules: Rules | None = None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    schema: str = SCHEMA
    asked: tuple[Needed, ...] = ()
    judges: tuple[Tested, ...] = ()

    @property
    def level(self) -> float | None:
        """Confidence level of intervals, rank intervals and tiers; None where the method gives none."""
        level = self.settings.get("level")
        return float(str(level)) if level is not None and self.systems[0].low is not None else None

    @property
    def tiers(self) -> int:
        """Number of tiers; 0 where the method gives none."""
        return max((system.tier or 0 for system in self.systems), default=0)


@dataclass(frozen=True, eq=False)
class Pairwise:
    """Weights of won, tied and lost [k, k], the row's system against the column's, in the leaderboard's order."""

    won: NDArray[np.float64]
    tied: NDArray[np.float64]


def build(
    table: Table,
    method: Method,
    options: Mapping[str, Any],
    *,
    source: str = "",
    scale: Scale = "natural",
    anchor: tuple[str, float | None] | None = None,
    gates: Sequence[str] = (),
    rules: bool | None = None,
    separate: Sequence[str] = (),
) -> tuple[Leaderboard, Pairwise]:
    """Rank what a file holds.

    Args:
        table: see `rank_files.read_table`.
        method: a ranking method that can read it; `options` are its own.
        scale: of methods whose scores are log-odds: "natural", or "elo" (400 points are odds of 10 to 1, mean 1000).
        anchor: a system and the score it is moved to (None: 1000 on the Elo scale, else 0); all scores move along.
        gates: demands such as `new > old`.
        rules: compare the rules of social choice; None: for scores alone.
        separate: pairs such as `new, old`: how many more battles would tell them apart?

    Raises:
        ConfigError: a method that cannot read the data, a scale or a gate that its scores do not allow, an unknown
            system.
        TaskError: data that the method cannot rank.
    """
    function = load(method.name, method.kind)
    found = function(converted(table, method, function, options), **options)
    ranking: Ranking = found if isinstance(found, Ranking) else found.ranking
    counts = tallied(table.data)
    needed, asked = _needed(ranking), _asked(ranking, separate, WITH_COVARIANCE[table.kind])
    notes = [
        *table.notes,
        *(note for note in ranking.notes if not _tells_of(note, table.dropped)),
        *_misfit(table, method, options),
    ]
    ranking = _scaled(ranking, scale, anchor)
    held = tested(ranking, counts, gates, instead=WITH_COVARIANCE[table.kind])
    order = _order(ranking)
    board = Leaderboard(
        source,
        table.kind,
        ranking.method,
        {key: value for key, value in ranking.settings.items() if value is not None},
        _used(table, ranking),
        dict(table.dropped),
        _standings(ranking, counts, played(table.data), order),
        needed,
        compared_rules(table.data) if (table.kind == "scores" if rules is None else rules) else None,
        held,
        tuple(dict.fromkeys(notes)),
        asked=asked,
    )
    position = [counts.names.index(system.name) for system in board.systems]
    at = np.ix_(position, position)
    return board, Pairwise(counts.wins[at], counts.ties[at])


def _order(ranking: Ranking) -> list[int]:
    """Best first; a score that is not known stands last."""
    known = np.isfinite(ranking.scores)
    return [*(i for i in ranking.order.tolist() if known[i]), *np.flatnonzero(~known).tolist()]


def _used(table: Table, ranking: Ranking) -> int:
    """Battles, rankings or scores behind the ranking."""
    data = table.data
    if isinstance(data, ScoreTable):
        return data.scores.size - data.missing
    return len(data) if isinstance(data, Rankings) else ranking.n


def _standings(
    ranking: Ranking, counts: Counts, played: NDArray[np.intp], order: Sequence[int]
) -> tuple[Standing, ...]:
    slack = ALIKE * max(1.0, float(np.nanmax(np.abs(ranking.scores))))
    won, tied, lost = counts.wins.sum(axis=1), counts.ties.sum(axis=1), counts.wins.sum(axis=0)
    place = {name: i for i, name in enumerate(counts.names)}

    def standing(i: int) -> Standing:
        score, name = float(ranking.scores[i]), ranking.names[i]
        above = (ranking.scores > score + slack) if math.isfinite(score) else np.isfinite(ranking.scores)
        at = place[name]
        spanned = ranking.rank_low is not None and ranking.rank_high is not None
        return Standing(
            1 + int(above.sum()),
            name,
            _finite(score),
            None if ranking.low is None else _finite(ranking.low[i]),
            None if ranking.high is None else _finite(ranking.high[i]),
            (int(ranking.rank_low[i]), int(ranking.rank_high[i])) if spanned else None,  # type: ignore[index]
            None if ranking.tier is None else int(ranking.tier[i]),
            int(played[at]),
            float(won[at]),
            float(tied[at]),
            float(lost[at]),
        )

    return tuple(standing(i) for i in order)


def _needed(ranking: Ranking) -> tuple[Needed, ...]:
    if ranking.covariance is None or ranking.tier is None or ranking.settings.get("scale") != LOG_ODDS:
        return ()
    tied = [(i, j) for i, j in pairwise(ranking.order.tolist()) if ranking.tier[i] == ranking.tier[j]]
    return tuple(_pair(ranking, ranking.names[i], ranking.names[j]) for i, j in tied)


def _asked(ranking: Ranking, texts: Sequence[str], instead: str) -> tuple[Needed, ...]:
    if texts and (ranking.covariance is None or ranking.settings.get("scale") != LOG_ODDS):
        raise ConfigError(
            f"{ranking.method} gives no covariance of log-odds, which --separate needs; use --method {instead}"
        )
    return tuple(_pair(ranking, *two_names(text, ",", ranking.names, "--separate")) for text in texts)


def _pair(ranking: Ranking, first: str, second: str) -> Needed:
    level = float(str(ranking.settings["level"]))
    one = battles_needed(ranking, first, second, level=level, simultaneous=True)
    low, high = one.interval or (None, None)
    return Needed(first, second, _whole(one.value), _whole(low), _whole(high))


def _misfit(table: Table, method: Method, options: Mapping[str, Any]) -> list[str]:
    """A sentence where one strength a system does not explain who beat whom."""
    if method.name != "bradley_terry" or not isinstance(table.data, Comparisons):
        return []
    ties = str(options.get("ties", "half"))
    test = misfit(table.data, ties="half" if ties == "drop" else ties)
    if test.p is None or test.effect.value is None or test.p >= MISFIT or test.effect.value <= 1:
        return []
    return [
        f"one strength a system does not explain who beat whom (chi-square {test.effect.value:.2f} times its degrees "
        f"of freedom, p {'< .001' if test.p < 0.001 else f'= {test.p:.3f}'}): look for cycles with --rules"
    ]


def _tells_of(note: str, dropped: Mapping[str, int]) -> bool:
    """Does a method's note say again what was dropped?"""
    return any(note == f"{number} rows not used: {reason}" for reason, number in dropped.items())


def _scaled(ranking: Ranking, scale: Scale, anchor: tuple[str, float | None] | None) -> Ranking:
    own = str(ranking.settings.get("scale", ""))
    if scale == "elo":
        if not own.startswith(LOG_ODDS):
            raise ConfigError(
                f"the scale of {ranking.method} is {own or 'its own'}, not log-odds: leave out --scale elo"
            )
        text = f"Elo points (400 are odds of 10 to 1){own.removeprefix(LOG_ODDS)}"
        ranking = ranking.rescaled(factor=ELO, offset=1000.0, scale=text)
    if anchor is None:
        return ranking
    name, score = anchor
    if name not in ranking.names:
        raise ConfigError(f"--anchor: no system is called {name!r}; there are {', '.join(ranking.names)[:200]}")
    if not own.startswith(LOG_ODDS):
        raise ConfigError(
            f"the scale of {ranking.method} is {own or 'its own'}, which has no free zero: leave out --anchor"
        )
    target = (1000.0 if scale == "elo" else 0.0) if score is None else score
    offset = target - float(ranking.scores[ranking.names.index(name)])
    text = str(ranking.settings["scale"])
    moved = ranking.rescaled(factor=1.0, offset=offset, scale=text)
    return replace(moved, settings={**moved.settings, "anchor": {name: target}})


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _whole(value: float | None) -> int | None:
    return None if value is None or not math.isfinite(value) else int(value)
