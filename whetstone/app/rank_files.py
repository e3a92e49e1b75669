"""Files to rank by: battles of two, rankings of several at a time, or scores of systems on tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from whetstone.app.cells import NEEDED, SYSTEM, column_of, listed
from whetstone.app.score_tables import read_score_table
from whetstone.app.scores import ALIASES
from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.ballots import BALLOT, RANK, RANKING, places, read_rankings
from whetstone.ranking.comparisons import Comparisons, Rankings
from whetstone.ranking.reading import ONE_HOT, ROLES, SCORES, SIDES, read_battles
from whetstone.ranking.score_table import ScoreTable
from whetstone.ranking.tables import column_names
from whetstone.tasks.readers import file_format

Kind = Literal["battles", "rankings", "scores"]
Data = Comparisons | Rankings | ScoreTable

EXTRA = ("system", "task", "score", "rank", "ranking")
"""Roles of columns beside those of battles."""


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds.

    Attributes:
        dropped: rows or scores that are not used, counted by reason.
        notes: what else was left aside, in words.
    """

    kind: Kind
    data: Data
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_table(
    path: Path,
    *,
    kind: Kind | None = None,
    columns: Mapping[str, str] | None = None,
    tasks: Sequence[str] = (),
    lower: Sequence[str] = (),
    drop_both_bad: bool = False,
    anonymous_only: bool = True,
) -> Table:
    """Read a CSV, TSV, JSON Lines or Parquet file of battles, rankings or scores, or a file of verdicts on pairs.

    Args:
        kind: what the file holds; None: what its columns say.
        columns: role -> column, where a file calls it by another name.
        tasks: columns of a score table that count; none for all columns of numbers.
        lower: tasks on which less is better.
        drop_both_bad, anonymous_only: as in `read_battles`.

    Raises:
        ConfigError: an unknown role or task.
        TaskError: what cannot be right, by row and column.
    """
    named = dict(columns or {})
    unknown = sorted(set(named) - {"left", "right", *ROLES, *EXTRA})
    if unknown:
        raise ConfigError(f"no role is called {unknown[0]!r}; there are left, right, {', '.join((*ROLES, *EXTRA))}")
    kind = kind or kind_of(path, named)
    if kind != "scores" and (tasks or lower):
        raise ConfigError(f"tasks are columns of scores, and {path} holds {kind}")
    if kind == "battles" and _verdicts(path, named):
        from whetstone.app.verdict_files.ranked import read_comparisons

        judged = read_comparisons(path, known_names=not anonymous_only, drop_both_bad=drop_both_bad)
        return Table(kind, judged, judged.dropped)
    if kind == "battles":
        roles = {role: column for role, column in named.items() if role not in EXTRA}
        found = read_battles(path, columns=roles, drop_both_bad=drop_both_bad, anonymous_only=anonymous_only)
        return Table(kind, found, found.dropped)
    absent = sorted(name for name in named.values() if name and name not in column_names(path))
    if absent:
        raise TaskError(f"{path}: no column is called {absent[0]!r}; there are {listed(column_names(path))}")
    try:
        if kind == "rankings":
            return Table(kind, *read_rankings(path, named, drop_both_bad=drop_both_bad))
        return Table(kind, *read_score_table(path, named, tasks=tasks, lower=lower))
    except TaskError as error:
        raise TaskError(str(error) if str(error).startswith(f"{path}:") else f"{path}: {error}") from error


def kind_of(path: Path, columns: Mapping[str, str] | None = None) -> Kind:
    """What a file holds, by its columns. Raises TaskError where they do not say."""
    if _verdicts(path, columns or {}):
        return "battles"
    there, named = column_names(path), set(columns or {})
    if _battles(there, named):
        return "battles"
    if named & {"rank", "ranking"} or places(there) or column_of(RANKING, there):
        return "rankings"
    system = "system" in named or column_of(SYSTEM, there)
    if system and column_of(RANK, there) and column_of(BALLOT, there) and not column_of(ALIASES["score"], there):
        return "rankings"
    if system and len(there) > 1:
        return "scores"
    if _together(SIDES, there) or "left" in named:
        return "battles"
    raise TaskError(f"{path}: the columns do not say what it holds: {listed(there)}; {NEEDED}")


def _battles(there: Sequence[str], named: Collection[str] = ()) -> bool:
    """Do the columns say who met whom, and who won?"""
    result = "winner" in named or any(name in there for name in ROLES["winner"])
    sides = _together(SIDES, there) or "left" in named
    return sides and (result or _together((*SCORES, ONE_HOT), there))


def _verdicts(path: Path, columns: Mapping[str, str]) -> bool:
    """Is it a file of verdicts on pairs, which columns of an arena do not say?"""
    if columns or (file_format(path) and path.is_file() and _battles(column_names(path))):
        return False
    # The readers of all formats are many, and battles need none of them.
    from whetstone.app.verdict_files.ranked import holds_pairs

    return holds_pairs(path)


def _together(choices: Sequence[Sequence[str]], there: Sequence[str]) -> bool:
    return any(set(names) <= set(there) for names in choices)
