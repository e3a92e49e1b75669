"""What a file of outputs to judge cannot say."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from whetstone.app.outputs import read_outputs
from whetstone.core.errors import TaskError


@pytest.mark.parametrize("label", [math.nan, math.inf, 10**400, "nan", [1]])
def test_a_label_of_one_answer_is_a_finite_number(tmp_path: Path, label: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"question": "q", "output": "o", "label": label}) + "\n")
    with pytest.raises(TaskError, match=r"a\.jsonl:1: label is .*; it can be a number, true or false$"):
        read_outputs([path])


@pytest.mark.parametrize(("label", "grade"), [(True, 1.0), ("no", 0.0), (" 2.5 ", 2.5), (3, 3.0), ("", None)])
def test_a_label_of_one_answer_is_a_number_or_a_word(tmp_path: Path, label: Any, grade: float | None) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"question": "q", "output": "o", "label": label}) + "\n")
    assert read_outputs([path])[0].answers["output"].label == grade
