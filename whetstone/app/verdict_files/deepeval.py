"""DeepEval's test runs: every metric of every test case is a score of the answer.

The judge is the metric, with the name of the model that it asked. A metric that failed is unreadable, with its error
as the raw text. The file does not name the system under test; `system` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.rows import Dropped, Item, Record, Row, digest, row, shown, size

NAME = "deepeval"
CASES = (("testCases", "test_cases"), ("conversationalTestCases", "conversational_test_cases"))


def reads(head: Mapping[str, Any]) -> bool:
    wrapped = head.get("testRunData")
    return any(name in (wrapped if isinstance(wrapped, Mapping) else head) for names in CASES for name in names)


def read(records: Iterator[Record], options: Options) -> Iterator[Item]:
    for record in records:
        if isinstance(record.values.get("testRunData"), Mapping):
            record = record.part(record.values["testRunData"], "testRunData")
        for names in CASES:
            field = next((name for name in names if record.values.get(name)), None)
            for number, case in enumerate(record.listed(field) if field else ()):
                yield from _case(record.part(case, f"{field}[{number}]"), options)


def _case(case: Record, options: Options) -> Iterator[Item]:
    metrics = _either(case, "metricsData", "metrics_data")
    if not metrics:
        yield Dropped("a test case without metrics")
        return
    if not isinstance(metrics, list):
        raise case.fault("metricsData", f"{shown(metrics)} is not a list")
    known = _known(case, options)
    for number, values in enumerate(metrics):
        metric = case.part(values, f"metricsData[{number}]")
        name = metric.text("name")
        model = _either(metric, "evaluationModel", "evaluation_model")
        error = metric.values.get("error")
        yield known | row(
            judge=f"{model} ({name})" if isinstance(model, str) and model else options.judge or name,
            metric=name,
            score=None if error else metric.number("score"),
            raw=next((text for text in (error, metric.values.get("reason")) if isinstance(text, str)), None),
        )


def _known(case: Record, options: Options) -> Row:
    asked, answer = case.values.get("input"), _either(case, "actualOutput", "actual_output")
    turns = case.values.get("turns")
    if answer is None and isinstance(turns, list):
        told = [turn for turn in turns if isinstance(turn, Mapping)]
        asked = next((turn.get("content") for turn in told if turn.get("role") == "user"), None)
        answer = next((turn.get("content") for turn in reversed(told) if turn.get("role") == "assistant"), None)
    name = case.values.get("name")
    named = isinstance(name, str) and name and not name.startswith(("test_case_", "conversational_test_case_"))
    return row(
        prompt=digest(asked) if isinstance(asked, str) and not named else case.text("name"),
        system=options.system or "model",
        length=size(answer),
        question=asked if isinstance(asked, str) else None,
        answer=answer if isinstance(answer, str) else None,
    )


def _either(record: Record, *names: str) -> Any:
    """The value of the first of these fields that has one: aliased names, then Python's."""
    return next((record.values[name] for name in names if record.values.get(name) is not None), None)
