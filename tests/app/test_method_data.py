"""Methods that work on data, from the command line: arguments from JSON and from tables."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from whetstone.app.cli import main
from whetstone.app.method_data import data_of
from whetstone.core.errors import TaskError
from whetstone.core.registry import find

HUMAN = [float(n % 5) for n in range(40)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A rater who follows the human, one who throws dice and leaves gaps, and the question of each item."""
    dice = Random(0)
    lines = ["ratings.human,ratings.near,ratings.dice,groups"]
    for n, value in enumerate(HUMAN):
        gap = "" if n % 10 == 9 else dice.randrange(5)
        lines.append(f"{value},{min(4, value + (n % 8 == 0))},{gap},q{n // 2}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def found(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, dict]:
    assert main([*argv, "--json"]) == 0
    return {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}


def test_columns_are_arguments(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = found(capsys, "run", "rater_agreement", "--data", str(table))
    assert rows["kappa near"]["estimate"] > 0.9
    assert rows["kappa near"]["n"] == 40
    low, high = rows["kappa dice"]["interval"]
    assert low < 0 < high
    assert rows["kappa dice"]["n"] == 36
    assert data_of(find("rater_agreement"), table)["groups"][:3] == ["q0", "q0", "q1"]


def test_an_object_says_the_same(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ratings.json"
    path.write_text(json.dumps(data_of(find("rater_agreement"), table)))
    as_table = found(capsys, "run", "rater_agreement", "--data", str(table))
    assert found(capsys, "run", "rater_agreement", "--data", str(path)) == as_table


def test_rows_are_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "rated.jsonl"
    path.write_text('{"output": "a", "reference": "b", "rating": 2}\n')
    assert data_of(find("mismatch"), path) == {"rows": [{"output": "a", "reference": "b", "rating": 2}]}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.json", "[1]", "must hold an object"),
        ("x.json", "{", "no JSON"),
        ("x.json", '{"metrics": {}}', "no expert"),
        ("x.csv", "a,b\n1,2\n", "no metrics and no expert"),
        ("x.txt", "", "neither a .json"),
    ],
)
def test_what_is_missing_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TaskError, match=said):
        data_of(find("metric_selection"), path)


def test_values_of_a_wrong_kind_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    for values in ('["long", "short"]', f"[1, {10**400}]"):
        path.write_text(f'{{"metrics": {{"length": {values}}}, "expert": [1, 2]}}')
        assert main(["run", "metric_selection", "--data", str(path)]) == 2
        assert "x.json: metric_selection cannot use it" in capsys.readouterr().err
