"""Tasks from files of every format."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Example
from whetstone.tasks.files import FileTask, load_file

ROWS: list[dict[str, Any]] = [
    {"id": f"q{i}", "input": f"What is {i} + 1?", "target": str(i + 1), "group": f"g{i % 3}"} for i in range(200)
]


def write(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    else:
        text = "\n".join(map(json.dumps, rows)).encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def everything(task: FileTask) -> list[Example]:
    return [example for split in ("train", "dev", "test") for example in task.examples(split)]


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv", "x.tsv", "x.parquet"])
def test_every_format_gives_the_same_examples(tmp_path: Path, name: str) -> None:
    found = {(e.id, str(e.question), e.target, e.group) for e in everything(load_file(write(tmp_path / name)))}
    assert found == {(row["id"], row["input"], row["target"], row["group"]) for row in ROWS}


def test_splits_are_disjoint_and_about_eight_one_one(tmp_path: Path) -> None:
    task = load_file(write(tmp_path / "x.jsonl"))
    sizes = {split: len(list(task.examples(split))) for split in ("train", "dev", "test")}
    assert sum(sizes.values()) == 200
    assert 140 < sizes["train"] < 180


def test_a_split_column_decides(tmp_path: Path) -> None:
    rows = [{**row, "split": "validation" if i % 2 else "test"} for i, row in enumerate(ROWS)]
    task = load_file(write(tmp_path / "x.jsonl", rows))
    assert [e.id for e in task.examples("test")] == [row["id"] for row in rows[::2]]
    assert [e.id for e in task.examples("dev")] == [row["id"] for row in rows[1::2]]
    assert list(task.examples("train")) == []


def test_n_examples_are_drawn_by_the_seed_in_the_files_order(tmp_path: Path) -> None:
    task = load_file(write(tmp_path / "x.jsonl"))
    ten = [e.id for e in task.examples("train", n=10, seed=1)]
    assert ten == [e.id for e in task.examples("train", n=10, seed=1)]
    assert ten != [e.id for e in task.examples("train", n=10, seed=2)]
    assert ten == [e.id for e in task.examples("train") if e.id in ten]
    assert len(list(task.examples("train", n=10_000))) == len(list(task.examples("train")))


def test_grading_uses_the_verifier_that_suits_the_row(tmp_path: Path) -> None:
    rows = [
        {"input": "2+2?", "target": "4", "split": "test"},
        {"input": "Capital of France?", "target": "Paris", "split": "test"},
        {"input": "Which?", "target": "y", "choices": ["x", "y"], "split": "test"},
        {"input": "Name one.", "target": ["red", "blue"], "split": "test"},
    ]
    task = load_file(write(tmp_path / "x.jsonl", rows))
    texts = ["The answer is 4.0.", "The answer is paris.", "The answer is B.", "The answer is blue."]
    examples = list(task.examples("test"))
    assert [task.verify(e, text).value for e, text in zip(examples, texts, strict=True)] == [1, 1, 1, 1]
    assert [task.verify(e, "The answer is 5.").value for e in examples] == [0, 0, 0, 0]
    assert "(A) x\n(B) y" in examples[2].prompt[0].text
    assert "letter" in examples[2].prompt[0].text
    assert task.process(examples[0], "4").abstained
    assert task.complete(examples[0], "4") is None
    assert [e.id for e in examples] == ["line-1", "line-2", "line-3", "line-4"]


def test_a_check_that_cannot_be_made_abstains(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [{"input": "q", "target": "(a+)+$", "split": "test"}])
    task = load_file(path, verifier="regex")
    verdict = task.verify(next(task.examples("test")), "a" * 5_000 + "b")
    assert verdict.value is None
    assert verdict.abstained


def test_braces_in_a_question_stay_braces(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [{"input": "f{instructions}{question}", "target": "1", "split": "test"}])
    example = next(load_file(path).examples("test"))
    assert example.prompt[0].text.startswith("f{instructions}{question}\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"input": "q", "target": "1"}\n{"input": ', r"x.jsonl:2: not JSON: .* column"),
        ('{"input": "q"}', r"x.jsonl:1: target: no target"),
        ('{"id": 1, "input": "q", "target": "1"}\n{"id": 1, "input": "q", "target": "2"}', "x.jsonl:2: id: '1' stands"),
        ("[1]", r"x.jsonl:1: a JSON array"),
        ("3", r"x.jsonl:1: a JSON int, not an object"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(content)
    with pytest.raises(TaskError, match=message):
        everything(load_file(path))


def test_a_target_that_the_verifier_cannot_use_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [{"input": "q", "target": "many"}])
    with pytest.raises(TaskError, match=r"x.jsonl:1: target: 'many' is not a number"):
        everything(load_file(path, verifier="numeric"))


def test_a_broken_parquet_or_gzip_file_is_named(tmp_path: Path) -> None:
    packed = gzip.compress(b"")[:10]
    for name, content in (("x.parquet", b""), ("x.jsonl.gz", b""), ("y.jsonl.gz", packed)):
        path = tmp_path / name
        path.write_bytes(content + b"nonsense" * 10)
        with pytest.raises(TaskError, match=name):
            everything(load_file(path))


def test_wrong_names(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl")
    with pytest.raises(ConfigError, match="auto, exact, normalised"):
        load_file(path, verifier="fuzzy")
    with pytest.raises(TaskError, match="no such file"):
        load_file(tmp_path / "y.jsonl")
    with pytest.raises(ConfigError, match="there are train, dev, test"):
        next(load_file(path).examples("all"))
