"""Reading recorded BIG-Bench Hard outputs reproduces the recorded accuracies (Suzgun et al., 2022)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whetstone.tasks.extract import answer_is


@pytest.mark.parametrize("mode", ["cot", "direct"])
def test_accuracies_of_fourteen_tasks(
    recorded: Callable[[str], Path], rows: Callable[[Path], list[dict[str, Any]]], mode: str
) -> None:
    folder = recorded("bbh_codex")
    expected = json.loads((folder / "expected.json").read_text())
    assert len(expected) == 14
    for name, accuracy in expected.items():
        outputs = rows(folder / mode / f"{name}.jsonl.gz")
        answers = [answer_is(row["prediction"]) if mode == "cot" else row["prediction"] for row in outputs]
        right = [answer == row["target"] for answer, row in zip(answers, outputs, strict=True)]
        assert 100 * sum(right) / len(right) == pytest.approx(accuracy[mode]), name
