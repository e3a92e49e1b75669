"""Labels for verdicts and scores: from another file (people's votes), or from another judge (a verifier) of the same.

Verdicts on two answers are matched by prompt, turn and the two systems, scores by prompt, turn, repetition and system.
Of several labels of one, scores and probabilities are averaged; of words the commonest counts, and the mean of several
commonest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from whetstone.app.verdict_files.options import Given
from whetstone.app.verdict_files.reading import Tally, stream_verdicts
from whetstone.app.verdict_files.rows import Row
from whetstone.core.errors import TaskError

SHARES = {"first": 1.0, "second": 0.0, "tie": 0.5}
WORDS = {share: word for word, share in SHARES.items()}


@dataclass(slots=True)
class Labels:
    """Labels by what they are of.

    Attributes:
        source: where they come from, in words.
        judge: whose rows of the labelled file are the labels themselves; "" for labels of another file.
        counts: key -> how often each value was given; of a pair, shares of the first of the two names.
        matched: rows that were given a label.
    """

    source: str
    judge: str = ""
    counts: dict[Hashable, dict[float, int]] = field(default_factory=dict)
    matched: int = 0

    def attach(self, rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
        """The rows, each with its label where there is one; rows that are labels are left out and counted.

        Raises TaskError at the end when no row has a label.
        """
        for row in rows:
            if self.judge and is_by(row, self.judge):
                tally.add("a label itself", "")
                continue
            key = _key(row)
            known = None if key is None else self.counts.get(key)
            if known is not None:
                self.matched += 1
                row = row | {"label": _label(row, known)}
            yield row
        if not self.matched:
            raise TaskError(
                f"{self.source}: no label fits; verdicts are matched by prompt, turn and systems, scores by prompt, "
                "turn, repetition and system"
            )


def read_labels(
    path: Path, *, by: str = "", same: bool = False, format: str | None = None, **options: Unpack[Given]
) -> Labels:
    """The readable verdicts and scores of a file as labels.

    Args:
        by: only those by this judge, or of this metric.
        same: they are to label the other rows of the same file.
        format, options: as in `read_verdicts`.

    Raises:
        TaskError: a record that cannot be right; no such judge.
    """
    labels = Labels(str(path), by if same else "")
    _, rows = stream_verdicts(path, format=format, **options)
    for row in rows:
        value = row.get("verdict", row.get("score"))
        key = _key(row)
        if value is None or key is None or (by and not is_by(row, by)):
            continue
        share = SHARES[value] if isinstance(value, str) else value
        if "verdict" in row and _turned(row):
            share = 1 - share
        given = labels.counts.setdefault(key, {})
        given[share] = given.get(share, 0) + 1
    if not labels.counts:
        raise TaskError(f"{path}: no readable verdict or score of a named prompt and system" + f" by {by!r}" * bool(by))
    return labels


def is_by(row: Row, judge: str) -> bool:
    """Is it this judge's, or of this metric?"""
    return judge in (row.get("judge"), row.get("metric"))


def _key(row: Row) -> Hashable:
    """What a row is about; None where it does not say."""
    needed = ("prompt", "first", "second") if "verdict" in row else ("prompt", "system")
    if any(field not in row for field in needed):
        return None
    if "verdict" in row:
        return (row["prompt"], row.get("turn"), frozenset((row["first"], row["second"])))
    return (row["prompt"], row.get("turn"), row.get("repeat"), row["system"])


def _turned(row: Row) -> bool:
    return str(row.get("first")) > str(row.get("second"))


def _label(row: Row, given: Mapping[float, int]) -> str | float:
    if "verdict" not in row:
        return _mean(given)
    if given.keys() <= WORDS.keys():
        most = max(given.values())
        given = {share: 1 for share, n in given.items() if n == most}
    share = 1 - _mean(given) if _turned(row) else _mean(given)
    return WORDS.get(share, share)


def _mean(given: Mapping[float, int]) -> float:
    return sum(value * n for value, n in given.items()) / sum(given.values())
