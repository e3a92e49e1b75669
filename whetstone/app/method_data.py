"""The data of methods that ask no model: their arguments by name, from a file."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.registry import Method, load
from whetstone.core.types import Finding
from whetstone.tasks.readers import FORMATS, file_format, records


def findings_of(method: Method, path: Path, **options: Any) -> list[Finding]:
    """What a method of kind `table` finds in a file.

    Raises:
        TaskError: the file does not hold what the method needs.
    """
    data = data_of(method, path)
    try:
        found: list[Finding] = load(method.name, method.kind)(**data, **options)
    except (TypeError, ValueError, KeyError, IndexError, ArithmeticError) as error:
        raise TaskError(f"{path}: {method.name} cannot use it ({error}); see whetstone show {method.name}") from error
    return found


def data_of(method: Method, path: Path) -> dict[str, Any]:
    """The arguments of a method of kind `table`: the positional ones, and options that are sequences (`groups`).

    Args:
        path: `.json` holds an object with the arguments by name. In a table (`FORMATS`) an argument `rows` is all of
            its rows; any other argument is a column, and one that is a mapping all columns `NAME.KEY`. A cell that is
            empty is None.

    Raises:
        TaskError: the file cannot be read, or an argument is not in it.
        ConfigError: the method takes values that no file holds.
    """
    parameters = inspect.signature(load(method.name, method.kind)).parameters.values()
    wanted = {p.name: str(p.annotation) for p in parameters if p.kind is not p.KEYWORD_ONLY}
    lists = {p.name: kind for p in parameters if (kind := str(p.annotation)).startswith("Sequence[")}
    for name, kind in wanted.items():
        if kind in ("Verdicts", "Sequence[Case]"):
            raise ConfigError(f"{method.name} takes {name} as {kind}, which no file holds: use it from Python")
    if path.suffix == ".json":
        found = _object(path)
    elif file_format(path) is None:
        raise TaskError(f"{path}: neither a .json nor a {', '.join(FORMATS)} file")
    else:
        rows = [{name: _value(cell) for name, cell in record.items()} for _, record in records(path)]
        found = _columns(rows, {**lists, **wanted})
    missing = [name for name in wanted if name not in found]
    if missing:
        raise TaskError(
            f"{path}: no {' and no '.join(missing)}; {method.name} takes "
            + ", ".join(f"{name} ({kind})" for name, kind in wanted.items())
        )
    return {name: found[name] for name in {**wanted, **lists} if name in found}


def _object(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: no JSON can be read from it: {error}") from None
    if not isinstance(value, dict):
        raise TaskError(f"{path}: the file must hold an object with the method's arguments by name")
    return value


def _columns(rows: Sequence[dict[str, Any]], wanted: dict[str, str]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    found: dict[str, Any] = {}
    for name, kind in wanted.items():
        keys = [column for column in names if column.startswith(f"{name}.")]
        if name == "rows":
            found[name] = rows
        elif kind.startswith("Mapping") and keys:
            found[name] = {key.removeprefix(f"{name}."): [row.get(key) for row in rows] for key in keys}
        elif name in names:
            found[name] = [row.get(name) for row in rows]
    return found


def _value(cell: Any) -> Any:
    """A cell of a text table as what it looks like."""
    if not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    if cell.strip().lower() in ("true", "false"):
        return cell.strip().lower() == "true"
    with suppress(ValueError):
        return float(cell)
    return cell
