"""Scores of systems by item, from files: one row an item, or one row an item and system."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from whetstone.core.errors import ConfigError, TaskError
from whetstone.tasks.readers import FORMATS, file_format, records, stem

ALIASES: dict[str, tuple[str, ...]] = {
    "id": (
        *("id", "item", "item_id", "idx", "uid", "example_id", "question_id", "sample_id", "task_id", "doc_id"),
        *("problem_id", "prompt_id", "instance_id", "session_id"),
    ),
    "score": (
        *("score", "correct", "is_correct", "value", "reward", "accuracy", "acc", "exact_match", "passed", "success"),
        *("rating", "grade"),
    ),
    "group": ("group", "group_id", "cluster", "cluster_id"),
    "system": ("system", "model", "model_name"),
    "level": ("level", "difficulty"),
}
WORDS = {
    **dict.fromkeys(("true", "yes", "right", "correct", "pass", "passed"), 1.0),
    **dict.fromkeys(("false", "no", "wrong", "incorrect", "fail", "failed"), 0.0),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What the user says the columns are; None: found by name. `score` with several names: a system each."""

    id: tuple[str, ...] | None = None
    score: tuple[str, ...] | None = None
    group: str | None = None
    system: str | None = None
    repeats: bool = False


USUAL = Columns()


@dataclass(slots=True)
class Scores:
    """One system's scores.

    Attributes:
        name, source: what it is called, and the file or run it comes from.
        values: item -> score; the mean over repetitions.
        groups, levels: item -> cluster and difficulty, where there are any.
        left_out: reason -> rows or items that are not used.
    """

    name: str
    source: str
    values: dict[str, float] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Aligned:
    """Systems on the items that all of them have. `groups` and `levels` are empty where no item has one."""

    names: tuple[str, ...]
    sources: tuple[str, ...]
    items: tuple[str, ...]
    values: Mapping[str, list[float]]
    groups: tuple[str, ...]
    levels: tuple[str, ...]
    left_out: Mapping[str, Mapping[str, int]]


def read_scores(path: Path, columns: Columns = USUAL, *, name: str = "") -> list[Scores]:
    """The systems of a score file.

    Args:
        path: a JSONL, CSV, TSV (also .gz) or Parquet file with a column for the item and one for the score; a column
            that tells systems apart and one for clusters are used where they are there.
        columns: names that differ from the usual ones.
        name: what to call the system of a file that holds one; its stem by default.

    Raises:
        ConfigError: a column that the file does not have, or that could be several.
        TaskError: no such file, or a row that cannot be used, by line and column.
    """
    if file_format(path) is None:
        raise ConfigError(f"{path}: not a {', '.join(FORMATS)} file")
    if not path.is_file():
        raise TaskError(f"{path}: no such file")
    reader = _Reader(path, columns)
    for line, record in records(path):
        reader.add(line, record)
    if not reader.found:
        raise TaskError(f"{path}: no rows; a score file has one row an item")
    if len(reader.found) == 1:
        only = next(iter(reader.found.values()))
        only.name = name or stem(path)
        return [only]
    return list(reader.found.values())


def align(systems: Sequence[Scores]) -> Aligned:
    """The items that all systems have a score for, in the order of the first system.

    Raises:
        ConfigError: fewer than two systems, no item in common, or a name that stands for two systems.
        TaskError: an item that is in different groups.
    """
    if len(systems) < 2:
        have = f"{systems[0].source} holds one" if systems else "none is named"
        raise ConfigError(f"a comparison needs at least two systems, and {have}; name another file, run or --by COLUMN")
    twice = [name for name, times in Counter(s.name for s in systems).items() if times > 1]
    if twice:
        raise ConfigError(f"two systems are called {twice[0]!r}; write NAME=FILE to call them something else")
    shared = [item for item in systems[0].values if all(item in other.values for other in systems[1:])]
    if not shared:
        first, second = (next(iter(s.values), "none") for s in systems[:2])
        raise ConfigError(
            f"{' and '.join(s.name for s in systems[:3])} have no item in common: ids look like {first[:40]!r} and "
            f"{second[:40]!r}; choose the column with --id"
        )
    groups: dict[str, str] = {}
    levels: dict[str, str] = {}
    for system in systems:
        for kind, own, all_of in (("group", system.groups, groups), ("level", system.levels, levels)):
            for item in shared:
                value = own.get(item, "")
                if value and all_of.setdefault(item, value) != value:
                    raise TaskError(
                        f"{system.source}: {kind}: item {item!r} is in {value!r} here and in {all_of[item]!r} in "
                        "another file; make them agree"
                    )
    for system in systems:
        if len(system.values) > len(shared):
            system.left_out["items that another system lacks"] += len(system.values) - len(shared)
    return Aligned(
        tuple(s.name for s in systems),
        tuple(s.source for s in systems),
        tuple(shared),
        {s.name: [s.values[item] for item in shared] for s in systems},
        tuple(groups.get(item, "") for item in shared) if groups else (),
        tuple(levels.get(item, "") for item in shared) if levels else (),
        {s.name: dict(s.left_out) for s in systems if s.left_out},
    )


def shuffled(aligned: Aligned, seed: int) -> Aligned:
    """The same items in a random order that the seed decides."""
    order = list(range(len(aligned.items)))
    Random(seed).shuffle(order)
    return replace(
        aligned,
        items=tuple(aligned.items[i] for i in order),
        values={name: [values[i] for i in order] for name, values in aligned.values.items()},
        groups=tuple(aligned.groups[i] for i in order) if aligned.groups else (),
        levels=tuple(aligned.levels[i] for i in order) if aligned.levels else (),
    )


class _Reader:
    """Collects rows into systems; what the columns are is settled by the first row."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path, self.wanted = path, columns
        self.found: dict[str, Scores] = {}
        self.id: tuple[str, ...] = ()
        self.score: tuple[str, ...] = ()
        self.group: str | None = None
        self.system: str | None = None
        self.level: str | None = None
        self.kinds: dict[str, tuple[str, int]] = {}
        self.seen: dict[tuple[str, str], list[int]] = {}

    def add(self, line: int, record: Mapping[str, Any]) -> None:
        if not self.id:
            self.settle(line, record)
        parts = [record.get(column) for column in self.id]
        if any(part is None for part in parts):
            missing = self.id[parts.index(None)]
            raise TaskError(f"{self.path}:{line}: {missing}: empty; every row needs the id of its item")
        item = "/".join(map(str, parts))
        label = "" if self.system is None else record.get(self.system)
        if label is None:
            raise TaskError(f"{self.path}:{line}: {self.system}: empty; every row needs its system")
        for column in self.score:
            self.keep(
                line, record, column, str(label) if len(self.score) == 1 else f"{label}/{column}".strip("/"), item
            )

    def keep(self, line: int, record: Mapping[str, Any], column: str, name: str, item: str) -> None:
        system = self.found.get(name)
        if system is None:
            system = self.found[name] = Scores(name, str(self.path))
        value = self.number(line, column, record.get(column))
        if value is None:
            system.left_out["rows without a score"] += 1
            return
        times = self.seen.setdefault((name, item), [])
        if times and not self.wanted.repeats:
            raise TaskError(
                f"{self.path}:{line}: {'+'.join(self.id)}: {item!r} stands in line {times[0]} already; give "
                "--repeats to average what an item got"
            )
        times.append(line)
        n = len(times)
        system.values[item] = system.values.get(item, 0.0) * (n - 1) / n + value / n
        for column_name, into in ((self.group, system.groups), (self.level, system.levels)):
            text = "" if column_name is None or record.get(column_name) is None else str(record[column_name])
            if text and into.setdefault(item, text) != text:
                raise TaskError(
                    f"{self.path}:{line}: {column_name}: {text!r}, but {into[item]!r} for the same item before"
                )

    def number(self, line: int, column: str, value: Any) -> float | None:
        """A score as a number. Raises TaskError for what is not one, and where words and numbers are mixed."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        kind, found = "number", WORDS.get(str(value).strip().lower())
        if isinstance(value, bool) or found is not None:
            kind, found = "word", float(value) if isinstance(value, bool) else found
        else:
            try:
                found = float(value)
            except OverflowError:
                found = math.inf
            except (TypeError, ValueError):
                raise TaskError(
                    f"{self.path}:{line}: {column}: {str(value)[:40]!r} is not a number (or true, false); leave it "
                    "empty where it is unknown, or choose another column with --score"
                ) from None
        if found is None or not math.isfinite(found):
            raise TaskError(
                f"{self.path}:{line}: {column}: {str(value)[:40]} is not finite; leave it empty where it is unknown"
            )
        before, where = self.kinds.setdefault(column, (kind, line))
        if before != kind:
            raise TaskError(
                f"{self.path}:{line}: {column}: {value!r} is a {kind}, but line {where} holds a {before}; use "
                "one or the other throughout"
            )
        return found

    def settle(self, line: int, record: Mapping[str, Any]) -> None:
        wanted, header = self.wanted, list(record)
        for chosen in (*(wanted.id or ()), *(wanted.score or ()), wanted.group, wanted.system):
            if chosen is not None and chosen not in record:
                raise ConfigError(f"{self.path}:{line}: no column {chosen!r}; there are {', '.join(header)}")
        self.id = wanted.id or (self.one("id", header, line),)
        self.score = wanted.score or (self.one("score", header, line),)
        self.group = wanted.group or next((c for c in ALIASES["group"] if c in record), None)
        self.system = wanted.system or next((c for c in ALIASES["system"] if c in record), None)
        self.level = next((c for c in ALIASES["level"] if c in record), None)

    def one(self, name: str, header: Sequence[str], line: int) -> str:
        """The column of this meaning: its plain name, else the only alias."""
        known = [alias for alias in ALIASES[name] if alias in header]
        if known and (known[0] == name or len(known) == 1):
            return known[0]
        what = "which item a row is about" if name == "id" else "how good an item is"
        have = f"{' and '.join(known)} could both say" if known else "no column says"
        raise ConfigError(
            f"{self.path}:{line}: {have} {what}; choose with --{name} COLUMN (there are {', '.join(header)[:200]})"
        )
