"""Rankings of several systems at a time, from files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whetstone.app.cells import NEEDED, SYSTEM, column_of, listed, name_of, number, records
from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Rankings
from whetstone.ranking.reading import ROLES
from whetstone.ranking.tables import column_names, read_columns

RANK = ("rank", "place", "position")
RANKING = ("ranking", "order", "preference")
BALLOT = (*ROLES["group"], "ranking_id", "ballot", "id")

Ballot = list[list[str]]
"""Names by level, best first."""


def read_rankings(path: Path, columns: Mapping[str, str]) -> tuple[Rankings, dict[str, int]]:
    """The rankings of a file, and what was dropped, by reason.

    A ranking is a text `a > b = c` or a list, best first, in a column `ranking`; or names in columns `rank_1`, `rank_2`
    ...; or a row for each system, with columns for the ranking's id, the system and its rank.

    Args:
        columns: ranking, judge, group (the ranking's id), system or rank -> column.

    Raises:
        TaskError: what cannot be right, by row and column.
    """
    there = column_names(path)
    whole, judge = columns.get("ranking") or column_of(RANKING, there), None
    if whole and "rank" not in columns:
        judge = columns.get("judge") or column_of(ROLES["judge"], there)
        ballots, judges = _written(path, whole, judge)
    elif places(there):
        ballots, judges = _by_place(path, places(there)), []
    else:
        ballots, judges = _by_row(path, there, columns), []
    useful = [sum(map(len, ballot)) > 1 for ballot in ballots]
    if not any(useful):
        raise TaskError("no row ranks two systems: there is nothing to rank")
    dropped = {"rankings of fewer than two systems": useful.count(False)} if not all(useful) else {}
    kept = [ballot for ballot, use in zip(ballots, useful, strict=True) if use]
    judges = [name for name, use in zip(judges, useful, strict=True) if use] if judges else []
    return _coded(kept, judges), dropped


def places(there: Sequence[str]) -> list[str]:
    """The columns rank_1, rank_2 ... as far as they go; at least two."""
    found: list[str] = []
    while f"rank_{len(found) + 1}" in there:
        found.append(f"rank_{len(found) + 1}")
    return found if len(found) > 1 else []


def _coded(ballots: Sequence[Ballot], judges: Sequence[str]) -> Rankings:
    names = tuple(sorted({name for ballot in ballots for level in ballot for name in level}))
    code = {name: i for i, name in enumerate(names)}
    order = np.full((len(ballots), max(sum(map(len, ballot)) for ballot in ballots)), -1)
    tied = np.zeros(order.shape, dtype=bool)
    for row, ballot in enumerate(ballots):
        flat = [(code[name], place > 0) for level in ballot for place, name in enumerate(level)]
        order[row, : len(flat)] = [system for system, _ in flat]
        tied[row, : len(flat)] = [same for _, same in flat]
    who = tuple(sorted(set(judges)))
    judge = np.array([who.index(name) for name in judges]) if judges else None
    return Rankings(names, order, tied if tied.any() else None, judge=judge, judges=who)


def _written(path: Path, column: str, judge: str | None) -> tuple[list[Ballot], list[str]]:
    ballots, judges = [], []
    for row, record in records(path):
        ballots.append(_levels(record.get(column), row, column))
        if judge:
            judges.append(name_of(record.get(judge), row, judge))
    return ballots, judges


def _levels(value: Any, row: int, column: str) -> Ballot:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise TaskError(f"row {row}, column {column}: {value[:40]!r} is not a JSON list: {error}") from None
    if isinstance(value, str):
        levels = [[name.strip() for name in level.split("=")] for level in value.split(">")]
    elif isinstance(value, list):
        levels = [[str(name) for name in level] if isinstance(level, list) else [str(level)] for level in value]
    else:
        raise TaskError(f"row {row}, column {column}: {value!r} is no ranking; write a > b = c, or a list, best first")
    names = [name for level in levels for name in level]
    if "" in names:
        raise TaskError(f"row {row}, column {column}: a name is missing in {value!r}")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise TaskError(f"row {row}, column {column}: {twice!r} stands there twice")
    return levels


def _by_place(path: Path, columns: Sequence[str]) -> list[Ballot]:
    table = read_columns(path, dict.fromkeys(columns, "names"))
    labels = [str(label) for label in table[columns[0]].labels]
    ballots: list[Ballot] = []
    for row, codes in enumerate(np.stack([table[name].codes for name in columns], axis=1).tolist(), 1):
        named = [code for code in codes if code >= 0]
        if codes[: len(named)] != named:
            raise TaskError(f"row {row}, column {columns[codes.index(-1)]}: no name, but there is one in a later place")
        twice = next((i for i, code in enumerate(named) if code in named[:i]), None)
        if twice is not None:
            raise TaskError(f"row {row}, column {columns[twice]}: {labels[named[twice]]!r} stands there twice")
        ballots.append([[labels[code]] for code in named])
    return ballots


def _by_row(path: Path, there: Sequence[str], columns: Mapping[str, str]) -> list[Ballot]:
    group, system, rank = (
        columns.get(role) or column_of(known, there) or ""
        for role, known in (("group", BALLOT), ("system", SYSTEM), ("rank", RANK))
    )
    for what, column in (("which ranking a row belongs to", group), ("the system", system), ("its rank", rank)):
        if not column:
            raise TaskError(f"no column says {what}; there are {listed(there)}; {NEEDED}")
    table = read_columns(path, {name: name for name in (group, system, rank)})
    for name, values in table.items():
        if (values.codes < 0).any():
            raise TaskError(f"row {values.row_of(-1)}, column {name}: no value")
    for code, label in enumerate(table[rank].labels):
        if number(label) is None:
            raise TaskError(f"row {table[rank].row_of(code)}, column {rank}: {label!r} is not a finite number")
    place, code_of = table[rank].numbers(), table[group].codes
    ballots: dict[int, Ballot] = {}
    last: tuple[int, float] | None = None
    for row in np.lexsort((place, code_of)).tolist():
        at = (int(code_of[row]), float(place[row]))
        ballot = ballots.setdefault(at[0], [])
        name = str(table[system].labels[table[system].codes[row]])
        if any(name in level for level in ballot):
            raise TaskError(
                f"row {row + 1}, column {system}: {name!r} stands twice in ranking {table[group].labels[at[0]]!r}"
            )
        if at == last:
            ballot[-1].append(name)
        else:
            ballot.append([name])
        last = at
    return list(ballots.values())
