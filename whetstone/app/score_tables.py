"""Scores of systems on tasks, from files: a column a task, or a row a system and task."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whetstone.app.cells import NEEDED, SYSTEM, absent, column_of, listed, name_of, number
from whetstone.app.scores import ALIASES, Columns, read_scores
from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.score_table import ScoreTable
from whetstone.ranking.tables import column_names
from whetstone.tasks.readers import records

TASK = ("task", "benchmark", "dataset", *ALIASES["id"])
NOT_TASKS = ("rank", "id", "index", "n")
"""Columns of numbers that a table of scores does not mean as tasks."""


def read_score_table(
    path: Path, columns: Mapping[str, str], *, tasks: Sequence[str] = (), lower: Sequence[str] = ()
) -> tuple[ScoreTable, dict[str, int], tuple[str, ...]]:
    """The scores of a file, what was dropped by reason, and what else was left aside.

    Args:
        columns: system, task, score or group (of tasks) -> column.
        tasks: those that count; none for all.
        lower: tasks on which less is better.

    Raises:
        ConfigError: an unknown task.
        TaskError: what cannot be right, by row (or line) and column.
    """
    there = column_names(path)
    system = columns.get("system") or column_of(SYSTEM, there)
    if system is None:
        raise TaskError(f"no column names the systems; there are {listed(there)}; {NEEDED}")
    task = columns.get("task") or column_of(TASK, [name for name in there if name != system])
    score = columns.get("score") or column_of(ALIASES["score"], there)
    if task and score:
        table, dropped, labels = _by_row(path, Columns((task,), (score,), columns.get("group"), system), tasks)
    else:
        table, dropped, labels = _by_column(path, system, tasks)
    _known(lower, table.tasks)
    for name in lower:
        table.scores[:, table.tasks.index(name)] *= -1
    rest = [label for label in labels if label not in table.tasks]
    return table, dropped, (f"columns not used: {listed(rest)}",) if rest else ()


def _by_row(path: Path, columns: Columns, tasks: Sequence[str]) -> tuple[ScoreTable, dict[str, int], Sequence[str]]:
    found = read_scores(path, columns)
    labels = tuple(dict.fromkeys(label for one in found for label in one.values))
    _known(tasks, labels)
    chosen = tuple(tasks) or labels
    scores = np.array([[one.values.get(label, math.nan) for label in chosen] for one in found])
    groups = {label: name for one in found for label, name in one.groups.items()}
    grouped = tuple(groups[label] for label in chosen) if all(label in groups for label in chosen) else None
    dropped: Counter[str] = Counter()
    for one in found:
        dropped.update(one.left_out)
    return ScoreTable(tuple(one.name for one in found), chosen, scores, groups=grouped), dict(dropped), labels


def _by_column(path: Path, system: str, tasks: Sequence[str]) -> tuple[ScoreTable, dict[str, int], Sequence[str]]:
    rows = list(enumerate((record for _, record in records(path)), 1))
    if not rows:
        raise TaskError("the file has a header but no rows")
    there = [name for name in dict.fromkeys(key for _, record in rows for key in record) if name != system]
    _known(tasks, there)
    chosen = tuple(tasks) or tuple(name for name in there if name.casefold() not in NOT_TASKS and _counts(rows, name))
    if not chosen:
        raise TaskError(f"no column holds scores; there are {listed(there)}")
    line: dict[str, int] = {}
    scores = []
    for row, record in rows:
        name = name_of(record.get(system), row, system)
        if name in line:
            raise TaskError(f"row {row}, column {system}: {name!r} stands in row {line[name]} already")
        line[name] = row
        scores.append([_score(record.get(task), row, task) for task in chosen])
    values = np.array(scores)
    kept = ~np.isnan(values).all(axis=1)
    names = tuple(name for name, keep in zip(line, kept, strict=True) if keep)
    dropped = {} if kept.all() else {"systems without a score": int((~kept).sum())}
    return ScoreTable(names, chosen, values[kept]), dropped, there


def _counts(rows: Sequence[tuple[int, Mapping[str, Any]]], column: str) -> bool:
    """Is the first value of the column a number?"""
    value = next((record[column] for _, record in rows if not absent(record.get(column))), None)
    return number(value) is not None


def _score(value: Any, row: int, column: str) -> float:
    if absent(value):
        return math.nan
    found = number(value)
    if found is None:
        raise TaskError(
            f"row {row}, column {column}: {str(value)[:40]!r} is not a finite number; leave it empty where it is "
            "unknown, or choose the columns that count with --tasks"
        )
    return found


def _known(tasks: Sequence[str], there: Sequence[str]) -> None:
    astray = [name for name in tasks if name not in there]
    if astray:
        raise ConfigError(f"no task is called {astray[0]!r}; there are {listed(there)}")
