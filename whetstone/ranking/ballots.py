"""Rankings of several systems at a time, from files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.decode import read_json
from whetstone.core.errors import TaskError
from whetstone.ranking.comparisons import Rankings
from whetstone.ranking.tables import column_names, read_columns, read_values

SYSTEM = ("system", "model", "model_name", "name")
RANK = ("rank", "place", "position")
RANKING = ("ranking", "order", "preference")
GROUP = ("group", "group_id", "prompt_id", "session", "session_id")
JUDGE = ("judge", "judge_id", "worker", "annotator")
ALL_BAD = ("all_bad", "both_bad")
BALLOT = (*GROUP, "ranking_id", "ballot", "id")
"""Column names, the first that is there is taken; a group is a cluster, a ballot the id of a ranking."""

Ballot = list[list[str]]
"""Names by level, best first."""


def read_rankings(
    path: Path, columns: Mapping[str, str] | None = None, *, drop_both_bad: bool = False
) -> tuple[Rankings, dict[str, int]]:
    """The rankings of a file, and what was dropped, by reason.

    A ranking is a text `a > b = c` or a list, best first, in a column `ranking`; or names in columns `rank_1`, `rank_2`
    ...; or a row for each system, with columns for the ranking's id, the system and its rank. In the first two forms a
    row may name its group (prompt, session) and its judge, and say that all were bad.

    Args:
        columns: ranking, judge, group (in the third form the ranking's id), system or rank -> column.
        drop_both_bad: leave out rankings of outputs that were all bad.

    Raises:
        TaskError: what cannot be right, by row and column.
    """
    there, columns = column_names(path), columns or {}
    whole = columns.get("ranking") or column_of(RANKING, there)
    if (whole and "rank" not in columns) or places(there):
        roles = {"group": columns.get("group") or column_of(GROUP, there)}
        roles["judge"] = columns.get("judge") or column_of(JUDGE, there)
        roles["bad"] = column_of(ALL_BAD, there)
        if whole and "rank" not in columns:
            ballots = _written(path, whole)
        else:
            ballots = _by_place(path, places(there))
        labels = {role: _labels(path, name, len(ballots)) for role, name in roles.items() if name}
    else:
        ballots, labels = _by_row(path, there, columns), {}
    reasons = {
        f"no value in {whole}": [ballot is None for ballot in ballots],
        "all bad": [drop_both_bad and str(bad).casefold() in ("true", "1") for bad in labels.pop("bad", [])],
        "rankings of fewer than two systems": [ballot is not None and sum(map(len, ballot)) < 2 for ballot in ballots],
    }
    out = np.zeros(len(ballots), dtype=bool)
    dropped: dict[str, int] = {}
    for reason, rows in reasons.items():
        if any(rows):
            dropped[reason] = int((np.asarray(rows) & ~out).sum())
            out |= np.asarray(rows)
    if out.all():
        raise TaskError("no row ranks two systems: there is nothing to rank")
    kept = [ballot for ballot, gone in zip(ballots, out.tolist(), strict=True) if not gone and ballot]
    found = {role: _coded(values, roles[role] or "", out) for role, values in labels.items()}
    return _rankings(kept, found), dropped


def places(there: Sequence[str]) -> list[str]:
    """The columns rank_1, rank_2 ... as far as they go; at least two."""
    found: list[str] = []
    while f"rank_{len(found) + 1}" in there:
        found.append(f"rank_{len(found) + 1}")
    return found if len(found) > 1 else []


def column_of(known: Sequence[str], there: Sequence[str]) -> str | None:
    """The first column of one of these names, in upper or lower case."""
    cased = {name.casefold(): name for name in reversed(there)}
    return next((cased[name] for name in known if name in cased), None)


def _rankings(ballots: Sequence[Ballot], labels: Mapping[str, tuple[tuple[str, ...], NDArray[np.intp]]]) -> Rankings:
    names = tuple(sorted({name for ballot in ballots for level in ballot for name in level}))
    code = {name: i for i, name in enumerate(names)}
    order = np.full((len(ballots), max(sum(map(len, ballot)) for ballot in ballots)), -1)
    tied = np.zeros(order.shape, dtype=bool)
    for row, ballot in enumerate(ballots):
        flat = [(code[name], place > 0) for level in ballot for place, name in enumerate(level)]
        order[row, : len(flat)] = [system for system, _ in flat]
        tied[row, : len(flat)] = [same for _, same in flat]
    judges, judge = labels.get("judge", ((), None))
    group = labels["group"][1] if "group" in labels else None
    return Rankings(names, order, tied if tied.any() else None, group, judge, judges)


def _labels(path: Path, column: str, n: int) -> list[str]:
    """[n] the values of a column as texts without stray spaces; "" where there is none."""
    found = ["" if value is None else " ".join(str(value).split()) for value in read_values(path, column)]
    assert len(found) == n
    return found


def _coded(values: Sequence[str], column: str, out: NDArray[np.bool_]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The distinct values of the rows that are kept, and their codes."""
    for row in np.flatnonzero(~out).tolist():
        if not values[row]:
            raise TaskError(f"row {row + 1}, column {column}: no value")
    labels, codes = np.unique([value for value, gone in zip(values, out, strict=True) if not gone], return_inverse=True)
    return tuple(map(str, labels)), codes


def _written(path: Path, column: str) -> list[Ballot | None]:
    return [_levels(value, row, column) for row, value in enumerate(read_values(path, column), 1)]


def _levels(value: Any, row: int, column: str) -> Ballot | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = read_json(value)
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


def _by_place(path: Path, columns: Sequence[str]) -> list[Ballot | None]:
    table = read_columns(path, dict.fromkeys(columns, "names"))
    labels = [str(label) for label in table[columns[0]].labels]
    ballots: list[Ballot | None] = []
    for row, codes in enumerate(np.stack([table[name].codes for name in columns], axis=1).tolist(), 1):
        named = [code for code in codes if code >= 0]
        if codes[: len(named)] != named:
            raise TaskError(f"row {row}, column {columns[codes.index(-1)]}: no name, but there is one in a later place")
        twice = next((i for i, code in enumerate(named) if code in named[:i]), None)
        if twice is not None:
            raise TaskError(f"row {row}, column {columns[twice]}: {labels[named[twice]]!r} stands there twice")
        ballots.append([[labels[code]] for code in named])
    return ballots


def _by_row(path: Path, there: Sequence[str], columns: Mapping[str, str]) -> list[Ballot | None]:
    group, system, rank = (
        columns.get(role) or column_of(known, there) or ""
        for role, known in (("group", BALLOT), ("system", SYSTEM), ("rank", RANK))
    )
    for what, column in (("which ranking a row belongs to", group), ("the system", system), ("its rank", rank)):
        if not column:
            raise TaskError(f"no column says {what}; there are {', '.join(there[:12])}; needed: ranking, or rank_1 ...")
    table = read_columns(path, {name: name for name in (group, system, rank)})
    for name, values in table.items():
        if (values.codes < 0).any():
            raise TaskError(f"row {values.row_of(-1)}, column {name}: no value")
    for code, label in enumerate(table[rank].labels):
        try:
            fine = math.isfinite(float(label))
        except (TypeError, ValueError):
            fine = False
        if not fine:
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
