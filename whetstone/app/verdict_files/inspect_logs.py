"""Inspect logs, as .json or as an .eval archive: every scorer's value of every sample is a score of the answer.

C, P, I and N are 1, 0.5, 0 and 0, and yes and no 1 and 0. A grade that the scorer could not find is unreadable, also
where an older version wrote I for it. The judge is the scorer, with the name of the model that it asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.prompts import content, last_user
from whetstone.app.verdict_files.rows import Dropped, Item, Record, row, shown, size

NAME = "inspect"
GRADES: Mapping[str, float] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}
NOT_FOUND = "Grade not found in model output"


def reads(head: Mapping[str, Any]) -> bool:
    return isinstance(head.get("eval"), Mapping) and "model" in head["eval"]


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    system = options.system
    for record in records:
        if "eval" not in record.values:
            yield from _sample(record, system)
            continue
        system = options.system or record.part(record.values["eval"], "eval").text("model")
        for number, sample in enumerate(record.listed("samples") if record.values.get("samples") else ()):
            yield from _sample(record.part(sample, f"samples[{number}]"), system)


def _sample(sample: Record, system: str) -> Iterator[Item]:
    scores = sample.values.get("scores")
    if sample.values.get("error"):
        yield Dropped("a sample that failed")
        return
    if not scores:
        yield Dropped("a sample without scores")
        return
    output = sample.values.get("output")
    answer = output.get("completion") if isinstance(output, Mapping) else None
    asked = last_user(sample.values.get("input"))
    for scorer, told in sample.inner("scores").items():
        score = sample.part(told, f"scores[{scorer!a}]")
        value = score.values.get("value")
        parts = value.items() if isinstance(value, Mapping) else ((None, value),)
        for name, single in parts:
            if isinstance(single, list | Mapping):
                yield Dropped("a value that holds several")
                continue
            metric = scorer if name is None else f"{scorer} {name}"
            model = _grader(told)
            yield row(
                judge=f"{model} ({metric})" if model else metric,
                metric=metric,
                prompt=sample.text("id"),
                repeat=sample.count("epoch"),
                system=system,
                score=_number(score, single),
                length=size(answer),
                raw=content(score.values.get("explanation")),
                question=asked,
                answer=answer if isinstance(answer, str) else None,
            )


def _number(score: Record, value: Any) -> float | None:
    explained = score.values.get("explanation")
    if isinstance(explained, str) and explained.startswith(NOT_FOUND):
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return Record(score.place, {"value": value}).number("value")
    if value is None or value in GRADES:
        return None if value is None else GRADES[value]
    try:
        return Record(score.place, {"value": float(value)}).number("value")
    except (TypeError, ValueError):
        raise score.fault("value", f"{shown(value)} is no grade; known are {', '.join(GRADES)} and numbers") from None


def _grader(told: Mapping[str, Any]) -> str | None:
    """The model whose reply the scorer kept."""
    kept = told.get("metadata")
    messages = kept.get("grading") if isinstance(kept, Mapping) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    model = last.get("model") if isinstance(last, Mapping) else None
    return model if isinstance(model, str) and model else None
