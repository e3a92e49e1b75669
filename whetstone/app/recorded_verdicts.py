"""A file of verdicts or scores as columns of each judge: the project's own rows at once, any other format streamed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from whetstone.app.verdict_files.options import Given
from whetstone.app.verdict_files.reading import Tally, stream_verdicts
from whetstone.audits import score_columns, verdict_columns
from whetstone.audits.score_columns import Scores, scored
from whetstone.audits.verdict_columns import Encoder, Judged, judged
from whetstone.core.errors import TaskError
from whetstone.ranking.tables import Column, column_names, read_columns
from whetstone.tasks.readers import file_format

FOREIGN = ("order", "gold", "group")
"""Other names of the own fields, which only the streaming reader knows."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """Verdicts on pairs and scores of single answers, by judge.

    Attributes:
        dropped: records that are not used, counted by reason.
    """

    format: str
    verdicts: Mapping[str, Judged] = field(default_factory=dict)
    scores: Mapping[str, Scores] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


def read_recorded(
    path: Path, *, format: str | None = None, category: str | None = None, **options: Unpack[Given]
) -> Recorded:
    """The verdicts and scores of a file, in any format that `read_verdicts` knows.

    Args:
        format: its name; None to tell it from the content.
        category: the field that tells kinds of questions apart, if it is not `category`.
        options: what the file leaves out, as in `read_verdicts`.

    Raises:
        ConfigError: no such format.
        TaskError: a record that cannot be right, by file, line and field; a file without verdicts.
    """
    table = None if format not in (None, "verdicts") else _own(path, category)
    if table is not None:
        # A value that is wrong, or written in another way, is for the streaming reader to accept or to place.
        with suppress(TaskError):
            found = judged(table)
            if options.get("judge") and set(found) == {"judge"}:
                found = {str(options.get("judge")): found["judge"]}
            return Recorded("verdicts", found)
    tally = Tally()
    pairs, singles = Encoder(), Encoder(score_columns.SPACES)
    name, rows = stream_verdicts(path, format=format, tally=tally, **options)
    for row in rows:
        if category is not None and category in row:
            row["category"] = row[category]
        (pairs if "verdict" in row else singles).add(row)
    found, alone = judged(pairs.columns()), scored(singles.columns())
    if not found and not alone:
        raise TaskError(
            f"{path}: no verdicts in it" + (f"; left out: {dropped_text(tally.dropped)}" * bool(tally.dropped))
        )
    if category is not None and all(one.category is None for judges in (found, alone) for one in judges.values()):
        raise TaskError(f"{path}: no row has a field {category!r}")
    return Recorded(name, found, alone, tally.dropped)


def dropped_text(dropped: Mapping[str, int]) -> str:
    """What was left out, in words."""
    return ", ".join(f"{n} {reason}" for reason, n in dropped.items())


def _own(path: Path, category: str | None) -> dict[str, Column] | None:
    """The columns of a file of the project's own verdicts; None for anything else, which is for others to read."""
    if file_format(path) is None or not path.is_file():
        return None
    fields = {name: name for name in verdict_columns.SPACES} | ({"category": category} if category else {})
    try:
        there = column_names(path)
        if "verdict" not in there or set(there) & {*FOREIGN} or _is_array(path):
            return None
        # A later row of JSON Lines may have what the first one lacks.
        every = file_format(path) == ".jsonl"
        spaces = {column: verdict_columns.SPACES[name] for name, column in fields.items() if every or column in there}
        table = read_columns(path, spaces | ({"score": "score"} if every or "score" in there else {}))
    except TaskError:
        return None
    filled = {name: column for name, column in table.items() if (column.codes >= 0).any() or name == "verdict"}
    if "score" in filled or (category and category not in filled):
        return None
    return {name: filled[column] for name, column in fields.items() if column in filled}


def _is_array(path: Path) -> bool:
    if file_format(path) != ".jsonl":
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] == b"["
