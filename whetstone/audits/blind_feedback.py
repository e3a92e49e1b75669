"""Feedback by several graders as a sheet for people to rate, without saying whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import Any

from whetstone.audits.graded_answers import Answer
from whetstone.core.errors import TaskError


def blind_sheet(
    answers: Sequence[Answer], feedback: Mapping[str, Sequence[str]], *, seed: int = 0
) -> list[dict[str, str]]:
    """Rows to rate, in random order: `id`, `question`, `answer`, `feedback`; an empty feedback has no row.

    Nothing in a row says who wrote the feedback; equal feedback by two graders is one row.

    Args:
        answers: [n] the students' answers.
        feedback: of each grader, [n] texts.
        seed: of the order.
    """
    rows = {}
    for texts in feedback.values():
        for answer, text in zip(answers, texts, strict=True):
            if text.strip():
                name = row_id(answer, text)
                question = answer.example.prompt[-1].text
                rows[name] = {"id": name, "question": question, "answer": answer.text, "feedback": text.strip()}
    names = sorted(rows)
    Random(seed).shuffle(names)
    return [rows[name] for name in names]


def ratings_of(
    rated: Sequence[Mapping[str, Any]], answers: Sequence[Answer], feedback: Mapping[str, Sequence[str]]
) -> dict[str, list[float | None]]:
    """Ratings of each grader's feedback, [n] each, from the sheet with a `rating` in its rows; None where unrated.

    Rows of several raters with one `id` are averaged. Raises TaskError for a rating that is no number or an unknown
    id.
    """
    found: dict[str, list[float]] = {}
    for line, row in enumerate(rated, 1):
        value = row.get("rating")
        if value is None or value == "":
            continue
        try:
            found.setdefault(str(row.get("id")), []).append(float(value))
        except (TypeError, ValueError) as error:
            raise TaskError(f"row {line}: rating is {value!r}; it must be a number") from error
    known = {row_id(answer, text) for texts in feedback.values() for answer, text in zip(answers, texts, strict=True)}
    if strange := set(found) - known:
        raise TaskError(f"{len(strange)} ids of the sheet belong to no feedback, such as {sorted(strange)[0]!r}")
    mean = {name: sum(values) / len(values) for name, values in found.items()}
    return {
        grader: [mean.get(row_id(answer, text)) for answer, text in zip(answers, texts, strict=True)]
        for grader, texts in feedback.items()
    }


def row_id(answer: Answer, text: str) -> str:
    """A name for one feedback on one answer that tells nothing about its writer."""
    key = f"{answer.example.id}\n{answer.text}\n{text.strip()}"
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]
