"""Battles from files: CSV, TSV, JSON Lines or Parquet with the columns that arenas write."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.ballots import GROUP, JUDGE
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.tables import Column, column_names, read_columns
from whetstone.ranking.winners import outcomes, word

SIDES = (
    ("model_a", "model_b"),
    ("left", "right"),
    ("model_x", "model_y"),
    ("model_1", "model_2"),
    ("player_a", "player_b"),
    ("a", "b"),
)
SCORES = (("score_a", "score_b"), ("score_1", "score_2"), ("score_left", "score_right"))
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")
ROLES: Mapping[str, tuple[str, ...]] = {
    "winner": ("winner", "outcome"),
    "weight": ("weight", "weights"),
    "group": GROUP,
    "judge": JUDGE,
    "anonymous": ("anony", "anonymous"),
}
"""Column names of each role, the first that is there is taken."""


def read_battles(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    drop_both_bad: bool = False,
    anonymous_only: bool = True,
) -> Comparisons:
    """The comparisons of a file.

    Two columns name the systems (`SIDES`); the result is a winner column (see `winners.CONVENTIONS`), two columns of
    scores of which the higher wins, or three columns of 0 and 1 (`ONE_HOT`). Weight, group and judge are optional.
    Rows without a result, and battles that were not anonymous, are left out and counted in `Comparisons.dropped`.

    Args:
        columns: role (left, right, or one of `ROLES`) -> column, where a file calls it by another name; "" for a
            column that should not be used.
        drop_both_bad: leave out ties of two bad answers; by default they are ties.
        anonymous_only: leave out battles whose voter knew the names.

    Raises:
        ConfigError: an unknown role.
        TaskError: what cannot be right, with row (from 1, without the header) and column.
    """
    return read_measures(path, (), columns=columns, drop_both_bad=drop_both_bad, anonymous_only=anonymous_only)[0]


def read_measures(
    path: Path,
    measures: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    drop_both_bad: bool = False,
    anonymous_only: bool = True,
) -> tuple[Comparisons, dict[str, NDArray[np.float64]]]:
    """The comparisons of a file, and columns of numbers beside them, such as the lengths of the two answers.

    Args:
        measures: names of the columns.
        columns, drop_both_bad, anonymous_only: as in `read_battles`.

    Returns:
        The comparisons, and by column [n] the numbers of the rows that they hold.

    Raises:
        ConfigError, TaskError: as `read_battles`; and a measure that a row lacks or that is no finite number.
    """
    try:
        return _read(path, columns or {}, drop_both_bad, anonymous_only, tuple(dict.fromkeys(measures)))
    except TaskError as error:
        raise TaskError(str(error) if str(error).startswith(f"{path}:") else f"{path}: {error}") from error


def _read(
    path: Path, columns: Mapping[str, str], drop_both_bad: bool, anonymous_only: bool, measures: Sequence[str]
) -> tuple[Comparisons, dict[str, NDArray[np.float64]]]:
    there = column_names(path)
    absent = [name for name in measures if name not in there]
    if absent:
        raise TaskError(f"no column is called {absent[0]!r}; there are {', '.join(there)}")
    roles = _roles(there, columns)
    result = [roles[r] for r in ("winner",) if r in roles] or _together((*SCORES, ONE_HOT), there)
    if not result:
        raise TaskError(f"no column says who won; there are {', '.join(there)}; needed: winner, or score_a and score_b")
    sides = [roles["left"], roles["right"]]
    wanted = dict.fromkeys(sides, "names") | {name: name for name in result}
    wanted |= {roles[r]: roles[r] for r in ("weight", "group", "judge", "anonymous") if r in roles}
    wanted |= {name: name for name in measures if name not in wanted}
    table = read_columns(path, wanted)
    left, right = table[sides[0]], table[sides[1]]
    if not len(left.codes):
        raise TaskError("the file has a header but no rows")
    _check_names(left, right, sides)
    if len(result) == 1:
        outcome, missing, bad = outcomes(table[result[0]], left, right, name=result[0], drop_both_bad=drop_both_bad)
    else:
        outcome, missing = _by_numbers({name: _numbers(table[name], name) for name in result})
        bad = np.zeros(len(outcome), dtype=bool)
    named = _named(table, roles) if anonymous_only else np.zeros(len(outcome), dtype=bool)
    reasons = {f"no value in {', '.join(result)}": missing, "both bad": bad, "not anonymous": named}
    found, kept = _comparisons(table, roles, sides, outcome, reasons)
    numbers = {name: _numbers(table[name], name) for name in measures}
    for name, values in numbers.items():
        if np.isnan(values[kept]).any():
            row = int(np.arange(len(values))[kept][np.argmax(np.isnan(values[kept]))])
            raise TaskError(f"row {row + 1}, column {name}: no value")
    return found, {name: values[kept] for name, values in numbers.items()}


def _comparisons(
    table: Mapping[str, Column],
    roles: Mapping[str, str],
    sides: Sequence[str],
    outcome: NDArray[np.int8],
    reasons: Mapping[str, NDArray[np.bool_]],
) -> tuple[Comparisons, Any]:
    """The comparisons, and which rows they hold."""
    left, right = table[sides[0]], table[sides[1]]
    itself = left.codes == right.codes
    if itself.any():
        row = int(np.argmax(itself))
        raise TaskError(f"row {row + 1}, column {sides[1]}: {left.labels[left.codes[row]]!r} is compared with itself")
    dropped: dict[str, int] = {}
    out = np.zeros(len(outcome), dtype=bool)
    for reason, rows in reasons.items():
        if rows.any():
            dropped[reason] = int((rows & ~out).sum())
            out |= rows
    kept: Any = ~out if dropped else slice(None)
    if dropped and out.all():
        raise TaskError(f"no row can be used: {', '.join(f'{n} {reason}' for reason, n in dropped.items())}")
    order = sorted(range(len(left.labels)), key=lambda i: str(left.labels[i]))
    place = np.empty(len(order), dtype=np.int16 if len(order) < 1 << 15 else np.int32)
    place[order] = np.arange(len(order))
    judge = table[roles["judge"]] if "judge" in roles else None
    weight = _weights(table[roles["weight"]], roles["weight"])[kept] if "weight" in roles else None
    found = Comparisons(
        tuple(str(left.labels[i]) for i in order),
        np.take(place, left.codes[kept], mode="clip"),
        np.take(place, right.codes[kept], mode="clip"),
        outcome[kept],
        weight,
        _complete(table[roles["group"]], roles["group"])[kept] if "group" in roles else None,
        _complete(judge, roles["judge"])[kept] if judge else None,
        tuple(map(str, judge.labels)) if judge else (),
        dropped=dropped,
    )
    return found, kept


def _roles(there: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    unknown = set(columns) - {"left", "right", *ROLES}
    if unknown:
        raise ConfigError(f"no role is called {sorted(unknown)[0]!r}; there are left, right, {', '.join(ROLES)}")
    absent = sorted(name for name in columns.values() if name and name not in there)
    if absent:
        raise TaskError(f"no column is called {absent[0]!r}; there are {', '.join(there)}")
    found = dict(zip(("left", "right"), _together(SIDES, there), strict=False))
    taken = set(found.values())
    for role, names in ROLES.items():
        match = next((name for name in names if name in there and name not in taken), None)
        if match:
            found[role] = match
    found |= columns
    found = {role: name for role, name in found.items() if name}
    if not {"left", "right"} <= set(found):
        raise TaskError(f"no two columns name the systems; there are {', '.join(there)}; needed: model_a and model_b")
    return found


def _together(choices: Sequence[Sequence[str]], there: Sequence[str]) -> list[str]:
    return list(next((names for names in choices if set(names) <= set(there)), ()))


def _check_names(left: Column, right: Column, sides: Sequence[str]) -> None:
    """Every row names two systems, in readable text, and no two names differ in what nobody can see."""

    def stop(code: int, what: str) -> None:
        column, name = (left, sides[0]) if (left.codes == code).any() else (right, sides[1])
        raise TaskError(f"row {column.row_of(code)}, column {name}: {what}")

    for column in (left, right):
        if (column.codes < 0).any():
            stop(-1, "no system is named")
    seen: dict[str, Any] = {}
    for code, label in enumerate(left.labels):
        text = str(label)
        if any("\udc80" <= c <= "\udcff" for c in text):
            stop(code, f"{text!a} is not UTF-8; save the file in one encoding, UTF-8")
        plain = " ".join(unicodedata.normalize("NFKC", text).split())
        if plain in seen:
            stop(code, f"{text!r} and {seen[plain]!r} look the same; write the name in one way")
        seen[plain] = text


def _numbers(column: Column, name: str) -> NDArray[np.float64]:
    """The values as finite numbers; NaN where there is none."""
    for code, label in enumerate(column.labels):
        try:
            if np.isfinite(float(label)):
                continue
        except (TypeError, ValueError):
            pass
        raise TaskError(f"row {column.row_of(code)}, column {name}: {label!r} is not a finite number")
    return column.numbers()


def _weights(column: Column, name: str) -> NDArray[np.float64]:
    _complete(column, name)
    weights = _numbers(column, name)
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise TaskError(f"row {row + 1}, column {name}: {weights[row]:g} is below 0")
    return weights


def _complete(column: Column, name: str) -> NDArray[np.int32]:
    if (column.codes < 0).any():
        raise TaskError(f"row {column.row_of(-1)}, column {name}: no value")
    return column.codes


def _by_numbers(values: Mapping[str, NDArray[np.float64]]) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """[n] outcomes, and [n] is there no result? Two columns are scores, three are 0 or 1 for left, right and tie."""
    found = np.stack(list(values.values()))
    missing: NDArray[np.bool_] = np.any(np.isnan(found), axis=0, keepdims=False)
    if len(found) == 3:
        wrong = ~missing & ((found.sum(axis=0) != 1) | ~np.isin(found, (0, 1)).all(axis=0))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise TaskError(f"row {row + 1}, column {', '.join(values)}: one of the three must be 1, the others 0")
    return np.sign(np.where(missing, 0, found[0] - found[1])).astype(np.int8), missing


def _named(table: Mapping[str, Column], roles: Mapping[str, str]) -> NDArray[np.bool_]:
    """[n] did the voter know the names?"""
    if "anonymous" not in roles:
        return np.zeros(len(table[roles["left"]].codes), dtype=bool)
    name = roles["anonymous"]
    column = table[name]
    known = {"true": False, "1": False, "false": True, "0": True}
    for code, label in enumerate(column.labels):
        if word(label) not in known:
            raise TaskError(f"row {column.row_of(code)}, column {name}: {label!r} is neither true nor false")
    _complete(column, name)
    return np.array([known[word(label)] for label in column.labels])[column.codes]
