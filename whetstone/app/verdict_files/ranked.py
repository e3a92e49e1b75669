"""Verdicts of judges as comparisons to rank by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from whetstone.app.verdict_files import alpaca_eval, arena, arena_hard, llmbar, mt_bench, own, promptfoo
from whetstone.app.verdict_files.reading import Tally, recognised, stream_verdicts
from whetstone.app.verdict_files.rows import Row
from whetstone.app.verdict_files.sources import read_records
from whetstone.core.errors import TaskError, WhetstoneError
from whetstone.ranking.comparisons import Comparisons
from whetstone.tasks.readers import file_format

PAIRED = tuple(reader.NAME for reader in (alpaca_eval, arena_hard, llmbar, promptfoo))
"""Formats that hold verdicts on pairs whatever their fields."""


def holds_pairs(path: Path) -> bool:
    """Is it a file of verdicts on pairs, which arena columns cannot say? False also for what cannot be read."""
    try:
        with closing(read_records(path)) as records:
            first = next(records, None)
    except WhetstoneError:
        return False
    if first is None:
        return False
    name, fields = recognised(first.values), first.values.keys()
    return (
        name in PAIRED
        or (name == mt_bench.NAME and "g1_winner" in fields)
        or (name == own.NAME and {"verdict", "first", "second"} <= fields)
        or (name == arena.NAME and file_format(path) is None)
    )


def read_comparisons(path: Path, *, known_names: bool = False, drop_both_bad: bool = False) -> Comparisons:
    """The verdicts on pairs of systems, as shown; a probability counts as a win of the likelier one.

    Verdicts on one prompt are one group. Unreadable verdicts and scores of single answers are counted in `dropped`; so
    are votes whose voter knew the names (unless `known_names`), and ties of two bad answers if `drop_both_bad`.

    Raises TaskError for a record that cannot be right, and where no verdict is left.
    """
    tally = Tally()
    _, rows = stream_verdicts(path, tally=tally, known_names=known_names)
    kept = list(_paired(rows, tally, drop_both_bad))
    if not kept:
        raise TaskError(
            f"{path}: no verdict on two named systems can be used; of scores, whetstone convert --to scores makes a "
            "table to rank"
        )
    left, right, outcome, group, judge = zip(*kept, strict=True)
    return Comparisons.from_labels(
        left,
        right,
        np.array(outcome, np.int8),
        group=group if None not in group else None,
        judge=judge if None not in judge else None,
        dropped=tally.dropped,
    )


def _paired(
    rows: Iterator[Row], tally: Tally, drop_both_bad: bool
) -> Iterator[tuple[str, str, int, str | None, str | None]]:
    for row in rows:
        if "verdict" not in row or "first" not in row or "second" not in row:
            tally.add("scores, and verdicts on answers without names", "")
        elif row["verdict"] is None:
            tally.add("unreadable verdicts", "")
        elif drop_both_bad and row.get("both_bad"):
            tally.add("both bad", "")
        else:
            yield row["first"], row["second"], outcome(row["verdict"]), row.get("prompt"), row.get("judge")


def outcome(verdict: str | float) -> int:
    """1 where the first won, -1 where the second did, 0 for a tie; a probability by its side of 1/2."""
    if isinstance(verdict, str):
        return WON[verdict]
    return int(verdict > 0.5) - int(verdict < 0.5)


WON: Mapping[str, int] = {"first": 1, "second": -1, "tie": 0}
