"""Grading recorded gsm8k solutions agrees with the grades that were recorded with them (Cobbe et al., 2021)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whetstone.core.types import Example, user
from whetstone.tasks.files import load_file
from whetstone.tasks.verifiers import load_verifier

Rows = Callable[[Path], list[dict[str, Any]]]
SOLVED = {"6b_finetuning": 21.68, "6b_verification": 39.04, "175b_finetuning": 34.72, "175b_verification": 56.25}
EXAMPLE = Example("recorded", user("a recorded question"))


@pytest.mark.parametrize("system", SOLVED)
def test_regrading_agrees_with_the_recorded_grades(recorded: Callable[[str], Path], rows: Rows, system: str) -> None:
    verifier = load_verifier("numeric")
    solutions = rows(recorded("gsm8k") / "example_model_solutions.jsonl.gz")
    agreed = right = 0
    for row in solutions:
        answer = verifier.read(EXAMPLE, row[system]["solution"])
        verdict = answer is not None and verifier.right(EXAMPLE, answer, [row["ground_truth"].rpartition("A: ")[2]])
        agreed += verdict == row[system]["is_correct"]
        right += verdict
    assert (agreed, len(solutions)) == (1319, 1319)
    assert round(100 * right / 1319, 2) == SOLVED[system]


def test_the_gold_file_is_a_task_as_it_is(recorded: Callable[[str], Path], rows: Rows) -> None:
    path = recorded("gsm8k") / "test.jsonl.gz"
    solutions = {
        row["question"]: row["6b_finetuning"] for row in rows(path.parent / "example_model_solutions.jsonl.gz")
    }
    task = load_file(path, verifier="numeric")
    agreed = matched = 0
    for split in ("train", "dev", "test"):
        for example in task.examples(split):
            recorded_one = solutions.get(str(example.question))
            if recorded_one is not None:
                matched += 1
                agreed += (task.verify(example, recorded_one["solution"]).value == 1) == recorded_one["is_correct"]
    assert matched > 1300
    assert agreed >= matched - 1
