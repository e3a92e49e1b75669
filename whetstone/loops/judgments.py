"""Judgment files of many shapes as one text-to-text task: a question in words, and the reply with the verdict.

    pairwise        two answers and which is better (A, B or E); asked in both orders, or with a reason in the one given
    pointwise       an answer and a grade, a whole number of a scale
    classification  an answer and a label

Columns are recognised by the names of the field; what a row is about stands in `instruction`, `prompt`, `question`,
`input` or `query`. A column `feedback` (`explanation`, `rationale`, `reason`) comes before the verdict in the reply.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whetstone.core.errors import TaskError
from whetstone.core.types import Example, Json, Sampling, Signal, user
from whetstone.loops._lessons import lesson_of
from whetstone.worlds.splits import split_of

QUESTIONS = ("instruction", "prompt", "question", "input", "query")
PAIRS = (
    *(("first", "second"), ("answer_a", "answer_b"), ("response_a", "response_b"), ("output_1", "output_2")),
    *(("chosen", "rejected"),),
)
CHOICES = ("preference", "winner", "choice", "label", "verdict")
SINGLES = ("response", "output", "answer", "completion", "text")
GRADES = ("score", "rating", "grade", "overall_score")
REASONS = ("feedback", "explanation", "rationale", "reason")
BETTER = {
    **dict.fromkeys(("first", "a", "1", "model_a", "1.0", "output_1"), "A"),
    **dict.fromkeys(("second", "b", "2", "model_b", "2.0", "output_2"), "B"),
    **dict.fromkeys(("tie", "e", "c", "0", "tie (bothbad)", "equal", "1.5"), "E"),
}

PAIRWISE = (
    "{task} Question: {question}\n\nAnswer A: {first}\n\nAnswer B: {second}\n\nWhich is better: A, B or E (equal)?"
)
POINTWISE = "{task} Question: {question}\n\nAnswer: {answer}\n\nScore it from {low} to {high}."
CLASSIFICATION = "{task} Question: {question}\n\nAnswer: {answer}\n\nWhich label fits: {labels}?"


@dataclass(frozen=True)
class Judgments:
    """A task whose questions ask for judgments, from rows of `standard_rows`."""

    name: str
    rows: tuple[Mapping[str, Any], ...]
    sampling: Sampling = Sampling(max_tokens=64)

    def examples(self, split: str, *, n: int | None = None, seed: int = 0) -> Iterator[Example]:
        """The examples of a split, in order, the first `n` of them."""
        left = len(self.rows) if n is None else n
        for i, row in enumerate(self.rows):
            if left and row["split"] == split:
                left -= 1
                meta: dict[str, Json] = {key: value for key, value in row.items() if key not in ("input", "target")}
                yield Example(f"row-{i + 1}", user(row["input"]), row["target"], str(row.get("pair", "")), meta=meta)

    def read(self, example: Example, text: str) -> str | None:
        """The verdict in a reply."""
        item = lesson_of(example).item
        reading = item.read(text)
        return None if reading is None or reading.value not in item.values else reading.value

    def verify(self, example: Example, text: str) -> Signal:
        """Is it the recorded verdict?"""
        return Signal(float(self.read(example, text) == lesson_of(example).item.truth), "binary")

    def process(self, example: Example, text: str) -> Signal:
        """Abstains: a verdict shows no steps."""
        return Signal(None, "binary", abstained="a verdict shows no steps")

    def complete(self, example: Example, text: str) -> bool | None:
        """None: anything may be a judgment."""
        return None


def judgments(files: Mapping[str, Iterable[Mapping[str, Any]]], *, tasks: Mapping[str, str] | None = None) -> Judgments:
    """One task made of judgment files.

    Args:
        files: the rows of each data set, by its name.
        tasks: of each data set, one sentence that says what is judged; by default its name.

    Raises TaskError that names data set and row.
    """
    rows: list[Mapping[str, Any]] = []
    for name, given in files.items():
        task = (tasks or {}).get(name, f"Task: {name}.")
        rows += standard_rows(list(given), dataset=name, task=task)
    return Judgments("judgments", tuple(rows))


def standard_rows(rows: Sequence[Mapping[str, Any]], *, dataset: str, task: str) -> list[dict[str, Json]]:
    """Rows of one data set as `input`, `target`, `dataset`, `kind` and what its verdicts need (`labels`, `low` ...).

    Raises TaskError that names data set and row, for a grade that is not finite and a row of no known shape.
    """
    graded = [_grades(row, f"{dataset}, row {line}") for line, row in enumerate(rows, 1)]
    grades = [grade for own in graded for grade in own]
    low, high = (min(1, *map(int, grades)), max(5, *map(int, grades))) if grades else (1, 5)
    labels = sorted({str(row["label"]) for row in rows if row.get("label") is not None})
    found: list[dict[str, Json]] = []
    for line, (row, own) in enumerate(zip(rows, graded, strict=True), 1):
        name, where = f"{dataset}/{line}", f"{dataset}, row {line}"
        question = next((str(row[c]) for c in QUESTIONS if row.get(c) is not None), "")
        # Both orders of a pair fall into one split.
        shown: dict[str, Json] = {"dataset": dataset, "split": row.get("split") or split_of(name)}
        asked = {"task": task, "question": question}
        if pair := next((p for p in PAIRS if all(isinstance(row.get(c), str) for c in p)), None):
            found += [{**shown, **order, "pair": name} for order in _orders(row, pair, asked, where)]
        else:
            found.append({**shown, **_single(row, asked, own, low, high, labels, where)})
    return found


def _orders(
    row: Mapping[str, Any], pair: tuple[str, str], asked: Mapping[str, str], where: str
) -> Iterator[dict[str, Json]]:
    """A pair in both orders; where a reason goes with it, in the order that the reason was written for."""
    reason, choice = _reason(row), "A" if pair[0] == "chosen" else _choice(row, where)
    first, second = (str(row[c]) for c in pair)
    swapped = {"A": "B", "B": "A", "E": "E"}[choice]
    orders = [(first, second, choice), (second, first, swapped)]
    for one, two, verdict in orders[:1] if reason else orders:
        prompt = _filled(PAIRWISE, **asked, first=one, second=two)
        yield {"input": prompt, "target": f"{reason}Verdict: {verdict}", "kind": "pairwise"}


def _single(
    row: Mapping[str, Any],
    asked: Mapping[str, str],
    grades: Sequence[float],
    low: int,
    high: int,
    labels: Sequence[str],
    where: str,
) -> dict[str, Json]:
    """An answer with its grade, or else with its label."""
    answer = next((str(row[c]) for c in SINGLES if isinstance(row.get(c), str)), None)
    reason = _reason(row)
    if answer is not None and grades:
        prompt = _filled(POINTWISE, **asked, answer=answer, low=str(low), high=str(high))
        target = f"{reason}Score: {round(grades[0])}"
        return {"input": prompt, "target": target, "kind": "pointwise", "low": low, "high": high}
    if answer is not None and row.get("label") is not None:
        prompt = _filled(CLASSIFICATION, **asked, answer=answer, labels=", ".join(labels))
        target = f"{reason}{row['label']}"
        return {"input": prompt, "target": target, "kind": "classification", "labels": labels}
    raise TaskError(f"{where}: no judgment of a known shape in its columns: {', '.join(row)}")


def _reason(row: Mapping[str, Any]) -> str:
    """The line of a reply before the verdict."""
    return next((f"{row[c]}\n" for c in REASONS if row.get(c)), "")


def _grades(row: Mapping[str, Any], where: str) -> list[float]:
    """The numbers in the columns of grades; the first is the row's own, all of them are on the data set's scale."""
    grades = {c: row[c] for c in GRADES if isinstance(row.get(c), (int, float))}
    for column, grade in grades.items():
        if not math.isfinite(grade):
            raise TaskError(f"{where}: {column} is {grade}, which is no grade; give a number or leave it out")
    return list(grades.values())


def _choice(row: Mapping[str, Any], where: str) -> str:
    given = next((row[c] for c in CHOICES if row.get(c) is not None), None)
    choice = BETTER.get(str(given).strip().lower())
    if choice is None:
        raise TaskError(f"{where}: {given!r} does not say which answer is better; use first, second or tie")
    return choice


def _filled(template: str, **fields: str) -> str:
    """The template with every field put in once; braces in a field stay braces."""
    parts = template.split("{")
    return parts[0] + "".join(fields[name] + rest for name, _, rest in (part.partition("}") for part in parts[1:]))
