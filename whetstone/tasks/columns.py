"""What the columns of a data file mean: the names that lm-eval, Inspect, OpenAI-evals and HF datasets use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal, cast

from whetstone.core.decode import read_json
from whetstone.core.types import Json
from whetstone.tasks.extract import choice_letter
from whetstone.tasks.verifiers import LETTERS, normalise

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "idx", "uid", "example_id", "question_id", "sample_id", "task_id"),
    "input": ("input", "question", "query", "problem", "prompt", "messages", "ctx", "text"),
    "target": (
        *("target", "answer", "ideal", "expected", "expected_output", "gold", "label", "answerKey", "correct_answer"),
        *("answers", "reference", "output", "solution"),
    ),
    "choices": ("choices", "options", "endings"),
    "group": ("group", "category", "subject", "cluster"),
    "level": ("level", "difficulty"),
    "split": ("split",),
    "metadata": ("metadata", "meta"),
    "context": ("context", "passage"),
}
CHOICE_COLUMNS = (tuple(LETTERS), tuple(f"option_{letter}" for letter in LETTERS.lower()))
SPLIT_NAMES = {
    **{"train": "train", "training": "train", "dev": "dev", "validation": "dev", "valid": "dev", "val": "dev"},
    **{"test": "test", "testing": "test", "eval": "test", "evaluation": "test"},
}

Turn = tuple[Literal["system", "user", "assistant"], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field of a row."""

    field: str
    message: str


@dataclass(slots=True)
class Fields:
    """A row under the project's own names. `turns` are the messages before the question; `split=None`: none given."""

    id: str | None = None
    question: str = ""
    turns: tuple[Turn, ...] = ()
    targets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    group: str = ""
    split: str | None = None
    meta: dict[str, Json] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def column(record: Mapping[str, Any], name: str) -> str | None:
    """The column that holds a field: the first of its aliases that the record has a value for."""
    for alias in ALIASES[name]:
        if record.get(alias) is not None:
            return alias
    return None


def read_fields(record: Mapping[str, Any]) -> Fields:
    """Interpret a row. What is wrong stands in `faults`, field by field; columns without a meaning go to `meta`."""
    used = {name: column(record, name) for name in ALIASES}
    value = {name: record[alias] if alias else None for name, alias in used.items()}
    fields = Fields()
    extra = {"instruction", *_choice_columns(record)} | set(used.values())
    _read_question(fields, record, value)
    fields.choices, labels = _read_choices(fields, record, value["choices"])
    _read_targets(fields, value["target"], labels)
    for name in ("id", "group", "level"):
        if isinstance(value[name], list | dict):
            fields.faults.append(Fault(name, f"{name} is a {_kind(value[name])}, not a text or number"))
    fields.id = None if value["id"] is None else str(value["id"])
    fields.group = "" if value["group"] is None else str(value["group"])
    _read_metadata(fields, value["metadata"])
    fields.meta |= {name: plain(record[name]) for name in record if name not in extra and record[name] is not None}
    if value["level"] is not None:
        fields.meta["level"] = plain(value["level"])
    if value["split"] is not None:
        fields.split = SPLIT_NAMES.get(str(value["split"]).lower())
        if fields.split is None:
            fields.faults.append(Fault("split", f"unknown split {str(value['split'])[:40]!r}; use train, dev or test"))
    return fields


def plain(value: Any) -> Json:
    """A value as JSON has it; what JSON lacks (dates, bytes) as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def _read_question(fields: Fields, record: Mapping[str, Any], value: Mapping[str, Any]) -> None:
    asked = value["input"]
    if isinstance(asked, str) and asked.lstrip().startswith('[{"role"'):
        asked = _from_json(asked)
    if isinstance(asked, list):
        _read_messages(fields, asked)
    elif isinstance(asked, dict):
        fields.faults.append(Fault("input", "input is an object, not a text or a list of messages"))
    else:
        instruction = record.get("instruction")
        parts = (value["context"], instruction, asked)
        fields.question = "\n\n".join(str(part).strip() for part in parts if part is not None and str(part).strip())
        known = asked is not None or instruction is not None
        if not fields.question:
            listed = ", ".join(ALIASES["input"])
            message = "input is empty" if known else f"no input; name its column one of {listed}"
            fields.faults.append(Fault("input", message))


def _read_messages(fields: Fields, messages: list[Any]) -> None:
    turns: list[Turn] = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            fields.faults.append(Fault("input", "a message needs a role (system, user, assistant) and a text content"))
            return
        turns.append((cast(Literal["system", "user", "assistant"], role), content))
    if not turns or turns[-1][0] != "user" or not turns[-1][1].strip():
        fields.faults.append(Fault("input", "input is empty" if not turns else "the last message is not the user's"))
        return
    fields.turns, fields.question = tuple(turns[:-1]), turns[-1][1].strip()


def _read_choices(fields: Fields, record: Mapping[str, Any], value: Any) -> tuple[tuple[str, ...], list[str]]:
    """Choices, and the labels that the file itself gives them."""
    labels: list[str] = []
    if isinstance(value, str):
        parsed = _from_json(value)
        value = parsed if isinstance(parsed, list | dict) else [part.strip() for part in value.split("|")]
    elif value is None:
        value = [record[name] for name in _choice_columns(record)]
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        given = value.get("label")
        labels = [str(label) for label in given] if isinstance(given, list) else []
        value = value["text"]
    elif isinstance(value, dict):
        labels, value = [str(key) for key in value], list(value.values())
    if not isinstance(value, list):
        fields.faults.append(Fault("choices", f"choices are a {_kind(value)}, not a list"))
        return (), []
    choices = tuple(str(choice).strip() for choice in value)
    if len(choices) == 1 or len(choices) > len(LETTERS):
        fields.faults.append(Fault("choices", f"{len(choices)} choices; there must be 2 to {len(LETTERS)}"))
    elif len(set(choices)) < len(choices) or "" in choices:
        fields.faults.append(Fault("choices", "a choice is empty or stands there twice"))
    else:
        return choices, labels
    return (), []


def _read_targets(fields: Fields, value: Any, labels: list[str]) -> None:
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        value = value["text"]
    targets = value if isinstance(value, list) else [value]
    texts = [json.dumps(target) if isinstance(target, dict) else _text(target) for target in targets]
    if not targets or None in targets or not all(text.strip() for text in texts):
        missing = value is None
        listed = ", ".join(ALIASES["target"])
        fields.faults.append(
            Fault("target", f"no target; name its column one of {listed}" if missing else "target is empty")
        )
        return
    if fields.choices:
        letters = [_letter(target, text, fields.choices, labels) for target, text in zip(targets, texts, strict=True)]
        for text, letter in zip(texts, letters, strict=True):
            if letter is None:
                fields.faults.append(Fault("target", f"target {text[:40]!r} is not among the choices"))
        texts = [letter for letter in letters if letter]
    fields.targets = tuple(dict.fromkeys(text.strip() for text in texts))


def _text(target: Any) -> str:
    """A target as text; of a gsm8k solution only what stands behind `####`."""
    text = str(target)
    return text.rpartition("\n#### ")[2] if "\n#### " in text else text


def _letter(target: Any, text: str, choices: tuple[str, ...], labels: list[str]) -> str | None:
    """The letter of a target that is a choice's text, its label in the file, a letter, or an index from 0."""
    for wanted, names in ((text.strip(), choices), (text.strip(), labels), (normalise(text), map(normalise, choices))):
        listed = list(names)
        if wanted in listed:
            return LETTERS[listed.index(wanted)]
    letter = choice_letter(text, len(choices))
    if letter:
        return letter
    index = int(target) if isinstance(target, int) or (text.isascii() and text.isdigit() and len(text) < 3) else -1
    return LETTERS[index] if 0 <= index < len(choices) else None


def _read_metadata(fields: Fields, value: Any) -> None:
    if isinstance(value, str):
        value = _from_json(value)
        if not isinstance(value, dict):
            fields.faults.append(Fault("metadata", "metadata is not a JSON object"))
            return
    if isinstance(value, dict):
        fields.meta |= {str(key): plain(item) for key, item in value.items()}
    elif value is not None:
        fields.faults.append(Fault("metadata", f"metadata is a {_kind(value)}, not an object"))


def _choice_columns(record: Mapping[str, Any]) -> list[str]:
    """Columns that hold one choice each: A, B, C ... or option_a, option_b ..."""
    for names in CHOICE_COLUMNS:
        if record.get(names[1]) is not None:
            return list(takewhile(lambda name: record.get(name) is not None, names))
    return []


def _from_json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return None


def _kind(value: Any) -> str:
    names = {"str": "text", "dict": "object", "bool": "truth value", "int": "number", "float": "number"}
    return names.get(type(value).__name__, type(value).__name__)
