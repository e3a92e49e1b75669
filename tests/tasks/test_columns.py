"""Rows in the shapes that other tools write."""

from __future__ import annotations

from typing import Any

import pytest

from whetstone.tasks.columns import read_fields


@pytest.mark.parametrize(
    ("record", "question", "targets", "choices"),
    [
        ({"input": "2+2?", "target": "4"}, "2+2?", ("4",), ()),
        ({"question": "2+2?", "answer": "2+2=4\n#### 4"}, "2+2?", ("4",), ()),  # gsm8k
        ({"question": "q", "choices": ["x", "y"], "answer": 1}, "q", ("B",), ("x", "y")),  # MMLU
        ({"question": "q", "A": "x", "B": "y", "answer": "A"}, "q", ("A",), ("x", "y")),  # MMLU as CSV
        (
            {"question": "q", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"},
            "q",
            ("B",),
            ("x", "y"),
        ),  # ARC
        ({"input": "q", "choices": {"text": ["x", "y"], "label": 5}, "target": "y"}, "q", ("B",), ("x", "y")),
        ({"ctx": "q", "endings": ["x", "y", "z"], "label": "2"}, "q", ("C",), ("x", "y", "z")),  # HellaSwag
        ({"query": "q", "choices": ["x", "y"], "gold": 0}, "q", ("A",), ("x", "y")),  # lm-eval
        ({"input": "q", "target": "y", "choices": '["x", "y"]'}, "q", ("B",), ("x", "y")),
        ({"input": "q", "target": "(B)", "choices": "x | y"}, "q", ("B",), ("x", "y")),
        ({"input": "q", "target": ["x", "y"]}, "q", ("x", "y"), ()),  # Inspect
        ({"context": "c", "question": "q", "answers": {"text": ["x", "x"]}}, "c\n\nq", ("x",), ()),  # SQuAD
        ({"instruction": "do", "input": "it", "output": "done"}, "do\n\nit", ("done",), ()),  # Alpaca
        ({"input": "q", "target": 4.5}, "q", ("4.5",), ()),
        ({"input": "q", "target": {"type": "object"}}, "q", ('{"type": "object"}',), ()),
        ({"input": "q", "target": 2, "choices": [1, 2, 3]}, "q", ("B",), ("1", "2", "3")),
    ],
)
def test_shapes(record: dict[str, Any], question: str, targets: tuple[str, ...], choices: tuple[str, ...]) -> None:
    fields = read_fields(record)
    assert fields.faults == []
    assert (fields.question, fields.targets, fields.choices) == (question, targets, choices)


def test_messages_keep_what_stands_before_the_question() -> None:
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "2+2?"}]  # OpenAI-evals
    fields = read_fields({"input": messages, "ideal": "4"})
    assert fields.turns == (("system", "Be short."),)
    assert fields.question == "2+2?"


def test_columns_without_a_meaning_are_kept() -> None:
    fields = read_fields({"id": 7, "input": "q", "target": "t", "source": "web", "metadata": {"x": 1}, "difficulty": 3})
    assert fields.id == "7"
    assert fields.meta == {"x": 1, "source": "web", "level": 3}


@pytest.mark.parametrize(
    ("record", "field", "message"),
    [
        ({"target": "t"}, "input", "no input; name its column one of"),
        ({"input": " ", "target": "t"}, "input", "input is empty"),
        ({"input": {"a": 1}, "target": "t"}, "input", "input is an object"),
        ({"input": [{"role": "robot", "content": "x"}], "target": "t"}, "input", "a message needs a role"),
        ({"input": [], "target": "t"}, "input", "input is empty"),
        ({"input": [{"role": "assistant", "content": "x"}], "target": "t"}, "input", "the last message is not"),
        ({"input": "q"}, "target", "no target; name its column one of"),
        ({"input": "q", "target": ""}, "target", "target is empty"),
        ({"input": "q", "target": []}, "target", "target is empty"),
        ({"input": "q", "target": "z", "choices": ["x", "y"]}, "target", "'z' is not among the choices"),
        ({"input": "q", "target": 5, "choices": ["x", "y"]}, "target", "'5' is not among the choices"),
        ({"input": "q", "target": "x", "choices": ["x"]}, "choices", "1 choices; there must be 2 to 26"),
        ({"input": "q", "target": "x", "choices": ["x", "x"]}, "choices", "stands there twice"),
        ({"input": "q", "target": "x", "choices": 3}, "choices", "choices are a number, not a list"),
        ({"input": "q", "target": "t", "split": "holdout"}, "split", "unknown split 'holdout'"),
        ({"input": "q", "target": "t", "metadata": "x"}, "metadata", "not a JSON object"),
        ({"input": "q", "target": "t", "id": [1]}, "id", "id is a list"),
    ],
)
def test_faults_name_the_field(record: dict[str, Any], field: str, message: str) -> None:
    faults = {fault.field: fault.message for fault in read_fields(record).faults}
    assert message in faults[field]
