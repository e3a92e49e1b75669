"""`validate` names every problem by line, and keeps almost nothing in memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.core.errors import TaskError
from whetstone.tasks.files import load_file
from whetstone.tasks.validate import Problem, validate_file


def problems(path: Path, content: bytes | str, **options: str) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [str(problem) for problem in validate_file(path, **options)]  # type: ignore[arg-type]


GOOD = '{"id": "a", "input": "q", "target": "1"}\n'


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path / "x.jsonl", GOOD + "\n" + GOOD.replace('"a"', '"b"')) == []


def test_every_problem_is_named_by_line(tmp_path: Path) -> None:
    content = b"\n".join(
        [
            b'\xef\xbb\xbf{"id": "a", "input": "q", "target": "1"}',
            b'{"id": "b", "input": ',
            b'{"id": "c", "target": "1"}',
            b'{"id": "a", "input": "  ", "target": "1"}',
            b'{"id": "e", "input": "q", "target": "z", "choices": ["x", "y"]}',
            b'{"id": "f", "input": "q", "target": 3}',
            b'{"id": "g", "input": "q\xff", "target": "1"}',
            b"[1, 2]",
            b'{"id": "i", "input": "q"}',
        ]
    )
    assert problems(tmp_path / "x.jsonl", content) == [
        "1: the file starts with a byte order mark; save it without",
        "2: not JSON: Expecting value at column 21",
        "3: input: no input; name its column one of input, question, query, problem, prompt, messages, ctx, text",
        "4: id: the same id as on line 1",
        "4: input: input is empty",
        "5: target: target 'z' is not among the choices",
        "6: target: target is a number here and text on line 1",
        "7: not UTF-8: byte 0xff at column 24",
        "8: a JSON list, not an object",
        "9: target: no target; name its column one of target, answer, ideal, expected, expected_output, gold, label, "
        "answerKey, correct_answer, answers, reference, output, solution",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["0: the file has no rows"]),
        ("\n\n", ["0: the file has no rows"]),
        ('[{"input": "q"}]', ["1: a JSON array; write one object a line (JSON Lines)"]),
        (GOOD.encode("utf-16"), ["1: the file is UTF-16; save it as UTF-8"]),
        ('{"a":' * 100_000, ["1: not JSON: maximum recursion depth exceeded"]),
        (f'{{"input": "q", "target": {"9" * 5_000}}}', ["1: not JSON: Exceeds the limit"]),
    ],
)
def test_files_that_are_wrong_as_a_whole(tmp_path: Path, content: bytes | str, expected: list[str]) -> None:
    found = problems(tmp_path / "x.jsonl", content)
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,input,target\n1,q,2\n2,q\n3,q,4\n", ["3: 2 fields where the header has 3"]),
        ("id,input,input\n1,q,2\n", ["1: the header names input twice"]),
        ('id,input,target\n1,"two\nlines",2\n1,q,3\n', ["4: id: the same id as on line 2"]),
        ("input,target\nq,\n", ["2: target: no target; name its column one of target, answer, ideal, expected"]),
        ('input,target\nq,"1"x\nq,2\n', ["2: not CSV: ',' expected after '\"'"]),
        (b"input,target\nq\xff,1\n", ["2: not UTF-8: byte 0xff at column 2"]),
        (b"\xef\xbb\xbfinput,target\nq,1\n", ["1: the file starts with a byte order mark"]),
        ("input,target\n", ["0: the file has no rows"]),
    ],
)
def test_csv_files(tmp_path: Path, content: bytes | str, expected: list[str]) -> None:
    found = problems(tmp_path / "x.csv", content)
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


def test_targets_are_checked_for_a_verifier(tmp_path: Path) -> None:
    content = GOOD + '{"id": "b", "input": "q", "target": "many"}\n'
    assert problems(tmp_path / "x.jsonl", content) == []
    assert problems(tmp_path / "x.jsonl", content, verifier="numeric") == ["2: target: 'many' is not a number"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert [str(problem) for problem in validate_file(tmp_path / "x.jsonl")] == ["0: No such file or directory"]


def test_many_problems_are_counted_not_all_listed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("x\n" * 50)
    found = validate_file(path, limit=10)
    assert len(found) == 11
    assert found[-1] == Problem(0, "", "40 more problems")


def test_memory_does_not_grow_with_the_rows_text(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with path.open("w") as file:
        for i in range(4_000):
            file.write(json.dumps({"id": i, "input": "x" * 2_000, "target": "1"}) + "\n")
    tracemalloc.start()
    assert validate_file(path) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 8_000_000
    assert peak < 1_500_000


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.sampled_from(["", "x", "(B)", "1/0", "1,2", "50%"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "role", "A"]), inner),
    max_leaves=4,
)
COLUMNS = (
    "id",
    "input",
    "question",
    "instruction",
    "target",
    "answer",
    "choices",
    "A",
    "B",
    "group",
    "split",
    "metadata",
)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUE), min_size=1, max_size=3))
def test_a_file_is_valid_exactly_if_it_loads(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    found = [problem for problem in validate_file(path) if " here and " not in problem.message]
    task = load_file(path)
    try:
        for split in ("train", "dev", "test"):
            for example in task.examples(split):
                task.verify(example, "The answer is x.")
    except TaskError:
        assert found
    else:
        assert all(problem.field == "id" for problem in found)
