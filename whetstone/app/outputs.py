"""Outputs to judge, from files: one answer a row, two or more in columns, or a file for each system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whetstone.app.cells import listed, number
from whetstone.app.scores import ALIASES, WORDS
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Example, Json, Sampling, Signal, form, user
from whetstone.tasks.readers import FORMATS, file_format, records, stem

QUESTION = ("question", "prompt", "instruction", "input", "query", "problem")
OUTPUT = ("output", "response", "answer", "completion", "generation", "text")
SYSTEM = (*ALIASES["system"], "generator")
LABEL = ("label", "preference", "winner", "gold", "correct", "is_correct", "rating")
CATEGORY = ("category", "language", "level", "bias", "subject")
ROLES = ("id", "question", "output", "system", "label", "category")
SIDES = (*((f"_{a}", f"_{b}") for a, b in ("12", "ab", "AB")), ("1", "2"))
PREFERRED = ("chosen", "rejected")
FIRST = {"first": 1.0, "second": 0.0, "tie": 0.5, "a": 1.0, "b": 0.0, "model_a": 1.0, "model_b": 0.0, "both": 0.5}


@dataclass(frozen=True, slots=True)
class Answer:
    """One output, and how good people or a verifier call it (None: unknown)."""

    text: str
    label: float | None = None


@dataclass(slots=True)
class Item:
    """One question with the outputs of one or more systems.

    Attributes:
        place: file and line where it stands first.
        preferred: share of the label that the first of two outputs gets (1 better, 0 worse, 1/2 as good), None unknown.
        meta: the other columns, which some judges read (a rubric, a checklist, a reference answer).
    """

    id: str
    question: str
    place: str
    answers: dict[str, Answer] = field(default_factory=dict)
    preferred: float | None = None
    category: str = ""
    meta: dict[str, Json] = field(default_factory=dict)

    @property
    def example(self) -> Example:
        """The question as methods see it."""
        prompt = user(form("solve", "{question}", question=self.question))
        return Example(self.id, prompt, group=self.id, meta={"level": self.category, **self.meta})


@dataclass(frozen=True)
class OutputTask:
    """The task that judges of files see: it has questions and no answers of its own."""

    name: str
    items: Sequence[Item]
    sampling: Sampling = Sampling(0.7, max_tokens=512)

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        """The questions, whatever the split."""
        return (item.example for item in self.items[:n])

    def read(self, example: Example, text: str) -> str | None:
        """The text without outer blanks."""
        return text.strip() or None

    def verify(self, example: Example, text: str) -> Signal:
        """Abstains: outputs are judged, not checked."""
        return Signal(None, "binary", 0, abstained="a file of outputs has no verifier")

    process = verify

    def complete(self, example: Example, text: str) -> bool | None:
        """None: a file says nothing about form."""
        return None


def read_outputs(
    files: Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    limit: int | None = None,
) -> list[Item]:
    """The questions and outputs of files.

    Args:
        files: one file, or one a system, each also as `NAME=FILE`; rows of several files meet by id, else by question.
        columns: role of `ROLES` -> column, where a file calls it by another name.
        outputs: columns that hold one system's output each.
        limit: the first so many questions.

    Raises:
        ConfigError: an unknown role or column.
        TaskError: a row that cannot be used, by file and line.
    """
    named = dict(columns or {})
    unknown = next((role for role in named if role not in ROLES), None)
    if unknown:
        raise ConfigError(f"--columns {unknown}: no role is called so; there are {', '.join(ROLES)}")
    items: dict[str, Item] = {}
    for text in files:
        name, path = _named(str(text))
        alone = name or (stem(path) if len(files) > 1 else "")
        _File(path, named, tuple(outputs), alone, items, limit if len(files) == 1 else None).read()
    found = [item for item in items.values() if len(files) == 1 or len(item.answers) > 1]
    if not found:
        raise TaskError(f"{files[0]}: " + ("the files have no question in common" if items else "no rows"))
    return found[:limit]


class _File:
    """Reads one file into items."""

    def __init__(
        self,
        path: Path,
        named: Mapping[str, str],
        outputs: tuple[str, ...],
        system: str,
        items: dict[str, Item],
        limit: int | None,
    ) -> None:
        self.path, self.named, self.outputs, self.system = path, named, outputs, system
        self.items, self.limit = items, limit
        self.columns: dict[str, str | None] = {}
        self.sides: tuple[str, ...] = ()
        self.labels: list[tuple[Item, str, str, list[str]]] = []

    def read(self) -> None:
        """Take in every row."""
        if file_format(self.path) is None:
            raise ConfigError(f"{self.path}: not a {', '.join(FORMATS)} file")
        for line, record in records(self.path):
            if not self.columns:
                self.settle(line, record)
            if not self.take(line, record):
                break
        twos = any(number(word) in (1.5, 2.0) for _, _, word, _ in self.labels)
        for item, place, word, names in self.labels:
            item.preferred = self.preferred(place, word, names, twos)

    def settle(self, line: int, record: Mapping[str, Any]) -> None:
        """Which column is what, by the first row."""
        for role, column in self.named.items():
            if column not in record:
                raise ConfigError(f"{self.path}:{line}: no column {column!r} for {role}; there are {listed([*record])}")
        for column in self.outputs:
            if column not in record:
                raise ConfigError(f"{self.path}:{line}: no column {column!r}; there are {listed([*record])}")
        known = {"id": ALIASES["id"], "question": QUESTION, "system": SYSTEM, "label": LABEL, "category": CATEGORY}
        for role, names in known.items():
            self.columns[role] = self.named.get(role) or next((name for name in names if name in record), None)
        if self.columns["question"] is None:
            raise TaskError(f"{self.path}:{line}: no question; name its column with --columns question=NAME")
        self.sides = self.outputs or (() if "output" in self.named else _sides(record))
        if not self.sides:
            taken = self.columns["question"]
            output = self.named.get("output") or next((n for n in OUTPUT if n in record and n != taken), None)
            if output is None:
                raise TaskError(
                    f"{self.path}:{line}: no output; name its column with --columns output=NAME, or several with "
                    f"--outputs (there are {listed([*record])})"
                )
            self.columns["output"] = output

    def take(self, line: int, record: Mapping[str, Any]) -> bool:
        """One row; false when there are enough."""
        place = f"{self.path}:{line}"
        question = self.question(place, record)
        given = self.value(record, "id")
        key = str(given) if given is not None else question
        item = self.items.get(key)
        if item is None:
            if self.limit is not None and len(self.items) >= self.limit:
                return bool(self.value(record, "system")) or self.system != ""
            item = self.items[key] = Item(str(given) if given is not None else f"line-{line}", question, place)
            category = self.value(record, "category")
            item.category = "" if category is None else str(category)
            used = {*self.columns.values(), *self.sides}
            item.meta = {name: value for name, value in record.items() if name not in used and value is not None}
        elif item.question != question:
            raise TaskError(f"{place}: id {key!r} has another question than in {item.place}")
        label = self.value(record, "label")
        if self.sides:
            names = self.names(record)
            if set(names) & set(item.answers):
                raise TaskError(f"{place}: outputs of {names[0]!r} to this question stand in {item.place} already")
            for name, column in zip(names, self.sides, strict=True):
                item.answers[name] = Answer(self.text(place, record, column))
            if self.sides == PREFERRED:
                item.preferred = 1.0
            elif label is not None:
                self.labels.append((item, place, str(label).strip(), names))
            return True
        name = str(self.value(record, "system") or self.system or "output")
        if name in item.answers:
            raise TaskError(
                f"{place}: an output of {name!r} to this question stands in {item.place} already; name the column that "
                "tells systems apart with --columns system=NAME, or questions with id=NAME"
            )
        text = self.text(place, record, str(self.columns["output"]))
        item.answers[name] = Answer(text, None if label is None else self.grade(place, label))
        return True

    def question(self, place: str, record: Mapping[str, Any]) -> str:
        """The question's text; an instruction and its input are one."""
        value = record.get(str(self.columns["question"]))
        if isinstance(value, Sequence) and not isinstance(value, str):
            turns = [turn.get("content") for turn in value if isinstance(turn, Mapping) and turn.get("role") == "user"]
            value = turns[-1] if turns else None
        parts = [value]
        if self.columns["question"] == "instruction" and isinstance(record.get("input"), str):
            parts.append(record["input"])
        text = "\n\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        if not text:
            raise TaskError(f"{place}: {self.columns['question']} is not a text that asks something")
        return text

    def value(self, record: Mapping[str, Any], role: str) -> Any:
        column = self.columns.get(role)
        value = record.get(column) if column else None
        return None if value == "" else value

    def text(self, place: str, record: Mapping[str, Any], column: str) -> str:
        value = record.get(column)
        if value is None:
            raise TaskError(f"{place}: {column} has no output; leave the row out where there is none")
        if not isinstance(value, str):
            raise TaskError(f"{place}: {column} is a {type(value).__name__}, not a text")
        return value

    def names(self, record: Mapping[str, Any]) -> list[str]:
        """Who wrote the outputs of the sides: the columns beside them, else the columns themselves."""
        if len(self.sides) == 2 and not self.outputs:
            for a, b in SIDES:
                for name in SYSTEM:
                    one, two = record.get(name + a), record.get(name + b)
                    if one is not None and two is not None and str(one) != str(two):
                        return [str(one), str(two)]
        return list(self.sides)

    def preferred(self, place: str, word: str, names: Sequence[str], twos: bool) -> float:
        """A pair's label as the share of the first output; `twos`: 2 stands for the second, and so 0 for a tie."""
        if len(names) != 2:
            raise TaskError(f"{place}: label {word!r} says which of two outputs is better, and there are {len(names)}")
        for known, value in ((names[0], 1.0), (names[1], 0.0), (self.sides[0], 1.0), (self.sides[1], 0.0)):
            if word == known:
                return value
        if word.lower() in FIRST or word.lower().startswith("tie"):
            return FIRST.get(word.lower(), 0.5)
        meaning: Mapping[float | None, float] = (
            {1.0: 1.0, 2.0: 0.0, 0.0: 0.5, 1.5: 0.5} if twos else {1.0: 1.0, 0.0: 0.0, 0.5: 0.5}
        )
        share = meaning.get(number(word))
        if share is None:
            raise TaskError(
                f"{place}: label is {word[:40]!r}; it can be first, second, tie, the better one's name, or a number: "
                "1, 2 and 0 or 1.5 for a tie, else 1, 0 and 0.5 for a tie"
            )
        return share

    def grade(self, place: str, label: Any) -> float:
        """A single output's label as a number."""
        grade = WORDS.get(str(label).strip().lower(), number(label))
        if grade is None:
            raise TaskError(f"{place}: label is {str(label)[:40]!r}; it can be a number, true or false")
        return grade


def _sides(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Two columns of outputs by their usual names."""
    if all(name in record for name in PREFERRED):
        return PREFERRED
    for name in OUTPUT:
        for a, b in SIDES:
            if name + a in record and name + b in record:
                return (name + a, name + b)
    return ()


def _named(text: str) -> tuple[str, Path]:
    name, equals, rest = text.partition("=")
    return (name, Path(rest)) if equals and not Path(text).exists() and "/" not in name else ("", Path(text))
