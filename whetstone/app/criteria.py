"""Criteria for a file of outputs, found together with a person: an append-only log of what was suggested and graded.

The log (`events.jsonl`) is the whole state: suggestions, assertions, grades, and every edit of a criterion in the order
in which they came. Nothing in it is written over, so that a change of mind stays visible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from whetstone.app.outputs import Item
from whetstone.app.result import encode
from whetstone.audits.assertion_selection import assertion_selection
from whetstone.audits.suggesting import Assertion, Criterion
from whetstone.core.decode import read_json
from whetstone.core.errors import ConfigError, StoreError, TaskError
from whetstone.core.types import Finding, Json
from whetstone.stats import wilson
from whetstone.tasks.readers import records

LOG, CARD = "events.jsonl", "report.json"
GOOD = {"good": True, "bad": False, "true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Output:
    """One output to grade."""

    id: str
    question: str
    text: str


@dataclass
class Criteria:
    """The state of the work on one file of outputs, as its log tells it.

    `grades` are the latest ones, `first` the first ones; `changes` counts criteria added, edited or dropped after the
    first grade.
    """

    folder: Path
    criteria: dict[str, Criterion] = field(default_factory=dict)
    assertions: dict[str, Assertion] = field(default_factory=dict)
    grades: dict[str, bool] = field(default_factory=dict)
    first: dict[str, bool] = field(default_factory=dict)
    regraded: set[str] = field(default_factory=set)
    changes: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path) -> Criteria:
        """Read the log of a folder; an absent one is empty. Raises StoreError for a line that is no event."""
        state = cls(folder)
        path = folder / LOG
        try:
            whole = _whole(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot read the log: {error.strerror}") from error
        for i, line in enumerate(whole.split(b"\n") if whole else (), 1):
            try:
                state.take(read_json(line))
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{path}:{i}: not an event of this log ({error}); mend or remove the line") from error
        return state

    def log(self, event: str, **values: Json) -> None:
        """Append an event and take it in. Raises StoreError when it cannot be written."""
        entry = {"event": event, **values}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / LOG
            # Half a surrogate pair in a model's text has no UTF-8; its escape is JSON.
            line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
            whole = _whole(path)
            with path.open("ab") as file:
                file.truncate(len(whole))
                file.write(b"\n" * bool(whole) + line)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot write the log: {error.strerror}") from error
        self.take(entry)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Apply one event."""
        match entry["event"]:
            case "criterion":
                self._change("edited" if entry["name"] in self.criteria else "added", entry["name"])
                self.criteria[entry["name"]] = Criterion(entry["name"], entry["text"])
                self._forget(entry["name"])
            case "drop":
                self._change("dropped", entry["name"])
                self.criteria.pop(entry["name"])
                self._forget(entry["name"])
            case "assertion":
                one = Assertion(entry["name"], entry["criterion"], entry["kind"], entry["text"])
                self.assertions[one.name] = one
            case "grade":
                good = bool(entry["good"])
                self.regraded |= {entry["id"]} & set(self.grades)
                self.first.setdefault(entry["id"], good)
                self.grades[entry["id"]] = good
            case other:
                raise ValueError(f"no event is called {other!r}")

    def add(self, assertion: Assertion) -> None:
        """Log an assertion."""
        self.log("assertion", **asdict(assertion))

    def unchecked(self) -> list[Criterion]:
        """Criteria without an assertion."""
        covered = {one.criterion for one in self.assertions.values()}
        return [criterion for criterion in self.criteria.values() if criterion.name not in covered]

    def _change(self, how: str, name: str) -> None:
        if self.grades:
            self.changes.append(f"{how} {name} after {len(self.grades)} grades")

    def _forget(self, criterion: str) -> None:
        self.assertions = {name: one for name, one in self.assertions.items() if one.criterion != criterion}


def _whole(path: Path) -> bytes:
    """A log up to the end of its last event, without the newline: what a crash tore off is no event."""
    written = path.read_bytes() if path.exists() else b""
    lines, _, rest = written.rpartition(b"\n")
    try:
        read_json(rest)
    except ValueError:
        return lines
    return written


def outputs_of(items: Sequence[Item]) -> tuple[list[Output], dict[str, bool]]:
    """Every output of the items, and the grades that their labels give (from 1/2 up is good)."""
    found, grades = [], {}
    for item in items:
        for system, answer in item.answers.items():
            name = item.id if len(item.answers) == 1 else f"{item.id}/{system}"
            found.append(Output(name, item.question, answer.text))
            if answer.label is not None:
                grades[name] = answer.label >= 0.5
    return found, grades


def read_grades(path: Path) -> dict[str, bool]:
    """Grades from a file with columns id and grade (good or bad, true or false, yes or no, 1 or 0).

    Raises TaskError by file and line.
    """
    found: dict[str, bool] = {}
    for line, record in records(path):
        word = str(record.get("grade")).strip().lower()
        if "id" not in record or word not in GOOD:
            raise TaskError(f"{path}:{line}: needs an id and a grade: good or bad, true or false, yes or no, 1 or 0")
        found[str(record["id"])] = GOOD[word]
    return found


def order(outputs: Sequence[Output], passed: Mapping[str, Sequence[bool]], graded: Mapping[str, bool]) -> list[Output]:
    """Ungraded outputs, by turns one that most assertions fail and one that most pass: what grades tell most about."""
    failing = [sum(not row[i] for row in passed.values()) for i in range(len(outputs))]
    left = sorted((i for i, one in enumerate(outputs) if one.id not in graded), key=lambda i: (-failing[i], i))
    turns = [left.pop(0 if turn % 2 == 0 else -1) for turn in range(len(left))]
    return [outputs[i] for i in turns]


@dataclass(frozen=True, slots=True)
class Card:
    """What came of it: the findings, the assertions that are kept, and every change of mind."""

    findings: tuple[Finding, ...]
    kept: tuple[Assertion, ...]
    left_out: tuple[str, ...]
    changes: tuple[str, ...]
    regraded: tuple[str, ...]
    graded: int
    note: str = ""


def card(
    state: Criteria,
    outputs: Sequence[Output],
    results: Mapping[str, Sequence[bool | None]],
    *,
    false_failures: float = 0.2,
    seed: int = 0,
) -> Card:
    """The report card of the assertions on the graded outputs.

    An assertion whose judge could not be read on a graded output is left out and named. Without enough grades of both
    kinds there are no findings, and `note` says what is missing.
    """
    ids = [one.id for one in outputs]
    grades = [state.grades.get(name) for name in ids]
    unread = [
        n for n, row in results.items() if any(r is None and g is not None for r, g in zip(row, grades, strict=True))
    ]
    passed = {name: [bool(value) for value in row] for name, row in results.items() if name not in unread}
    found: list[Finding] = []
    note = "" if passed else "no assertion can be used"
    if passed:
        earlier = [state.first[name] if name in state.regraded else None for name in ids]
        by = {name: state.assertions[name].criterion for name in passed}
        again: Sequence[bool | None] = earlier if state.regraded else ()
        try:
            found = assertion_selection(
                passed, grades, criteria=by, false_failures=false_failures, earlier=again, seed=seed
            )
        except ConfigError as error:
            note = str(error)
    kept = tuple(state.assertions[name] for name in passed if _verdict(found, f"coverage {name}") == "kept")
    touched = {change.split(" after ")[0].split(" ", 1)[1] for change in state.changes}
    ever = len(set(state.criteria) | touched)
    if found:
        drift = wilson(len(touched), ever)
        told = "criteria changed while grading" if touched else "no criterion changed while grading"
        found.append(Finding("criteria_drift", drift.value, drift.interval, ever, verdict=told))
    graded = sum(grade is not None for grade in grades)
    return Card(tuple(found), kept, tuple(unread), tuple(state.changes), tuple(sorted(state.regraded)), graded, note)


def write_card(found: Card, path: Path) -> None:
    """Write the report card as JSON. Raises StoreError when it cannot be written."""
    text = json.dumps(encode(found), ensure_ascii=False, indent=1) + "\n"
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; choose another --out") from error


def _verdict(found: Sequence[Finding], name: str) -> str:
    return next((finding.verdict for finding in found if finding.name == name), "")
