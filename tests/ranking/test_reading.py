"""Battles from files: every documented way to write them, one result; every mistake with its row and column."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.reading import read_battles

Rows = list[dict[str, Any]]
Write = Callable[..., Path]

PAIRS = [("m2", "m1"), ("m1", "m3"), ("m3", "m2"), ("m2", "m1")]
OUTCOME = [1, -1, 0, -1]
WAYS: dict[str, tuple[Any, Any, Any]] = {
    "model_a": ("model_a", "model_b", "tie"),
    "both bad": ("model_a", "model_b", "tie (bothbad)"),
    "both_bad": ("model_a", "model_b", "both_bad"),
    "left": ("left", "right", "tie"),
    "letters": ("A", "B", "Tie"),
    "numbers": (1, 0, 0.5),
    "decimals": ("1.0", "0.0", "0.50"),
    "model_1": ("model_1", "model_2", "draw"),
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(rows: Rows, kind: str = ".csv") -> Path:
        path = tmp_path / f"battles{kind}"
        names = list(dict.fromkeys(name for row in rows for name in row))
        if kind.startswith(".parquet"):
            pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
            parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=3)
            return path
        if kind.startswith(".jsonl"):
            text = "".join(json.dumps(row) + "\n" for row in rows)
        else:
            comma = "\t" if kind.startswith(".tsv") else ","
            lines = [[("" if row.get(n) is None else str(row.get(n))) for n in names] for row in rows]
            text = "".join(comma.join(line) + "\n" for line in [names, *lines])
        if kind.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
        return path

    return write


def battles(way: tuple[Any, Any, Any] = WAYS["model_a"], **columns: Any) -> Rows:
    won = {1: way[0], -1: way[1], 0: way[2]}
    rows = [{"model_a": a, "model_b": b, "winner": won[o]} for (a, b), o in zip(PAIRS, OUTCOME, strict=True)]
    return [{**row, **{name: values[i] for name, values in columns.items()}} for i, row in enumerate(rows)]


def read_back(found: Comparisons) -> tuple[list[tuple[str, str]], list[int]]:
    sides = zip(found.left.tolist(), found.right.tolist(), strict=True)
    return [(found.names[i], found.names[j]) for i, j in sides], found.outcome.tolist()


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_write_a_winner(write: Write, kind: str, way: tuple[Any, Any, Any]) -> None:
    rows = battles(way)
    if kind == ".parquet":
        rows = [{**row, "winner": float(row["winner"])} if way[0] == 1 else row for row in rows]
    found = read_battles(write(rows, kind))
    assert found.names == ("m1", "m2", "m3")
    assert read_back(found) == (PAIRS, OUTCOME)
    assert found.dropped == {}


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_a_winner_by_name(write: Write, kind: str) -> None:
    rows = [
        {"model_a": a, "model_b": b, "winner": {1: a, -1: b, 0: "tie"}[o]}
        for (a, b), o in zip(PAIRS, OUTCOME, strict=True)
    ]
    assert read_back(read_battles(write(rows, kind))) == (PAIRS, OUTCOME)
    rows[2]["winner"] = "m1"
    with pytest.raises(TaskError, match="row 3, column winner: 'm1' won a comparison of 'm3' and 'm2'"):
        read_battles(write(rows, kind))


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_scores_and_one_hot_columns(write: Write, kind: str) -> None:
    scored = [
        {"model_a": a, "model_b": b, "score_a": 7.5 + o, "score_b": 7.5}
        for (a, b), o in zip(PAIRS, OUTCOME, strict=True)
    ]
    assert read_back(read_battles(write(scored, kind))) == (PAIRS, OUTCOME)
    hot = [
        {
            "model_a": a,
            "model_b": b,
            "winner_model_a": int(o == 1),
            "winner_model_b": int(o == -1),
            "winner_tie": int(o == 0),
        }
        for (a, b), o in zip(PAIRS, OUTCOME, strict=True)
    ]
    assert read_back(read_battles(write(hot, kind))) == (PAIRS, OUTCOME)
    hot[1]["winner_tie"] = 1
    with pytest.raises(TaskError, match=r"row 2, column winner_model_a.*: one of the three must be 1"):
        read_battles(write(hot, kind))


def test_a_column_called_outcome_holds_signs(write: Write) -> None:
    rows = [{"left": a, "right": b, "outcome": o} for (a, b), o in zip(PAIRS, OUTCOME, strict=True)]
    assert read_back(read_battles(write(rows))) == (PAIRS, OUTCOME)


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_weights_groups_and_judges(write: Write, kind: str) -> None:
    rows = battles(weight=[1, 0.5, 2, 1], prompt_id=["p", "q", "p", "r"], judge=["x", "y", "y", "x"], turn=[1, 1, 2, 1])
    found = read_battles(write(rows, kind))
    assert found.weight is not None
    assert found.weight.tolist() == [1, 0.5, 2, 1]
    assert found.group is not None
    assert found.group.tolist() == [0, 1, 0, 2]
    assert found.judges == ("x", "y")
    assert found.judge is not None
    assert found.judge.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_rows_left_out_are_counted_by_reason(write: Write, kind: str) -> None:
    rows = battles(anony=[True, True, False, True])
    rows[0]["winner"] = None
    found = read_battles(write(rows, kind))
    assert found.dropped == {"no value in winner": 1, "not anonymous": 1}
    assert read_back(found)[0] == [PAIRS[1], PAIRS[3]]
    assert read_battles(write(rows, kind), anonymous_only=False).dropped == {"no value in winner": 1}


def test_two_bad_answers_can_be_left_out(write: Write) -> None:
    path = write(battles(WAYS["both bad"]))
    found = read_battles(path, drop_both_bad=True)
    assert (len(found), found.dropped) == (3, {"both bad": 1})


def test_other_column_names(write: Write) -> None:
    rows = [{"first": a, "second": b, "who": o, "topic": "x"} for (a, b), o in zip(PAIRS, "ABAB", strict=True)]
    with pytest.raises(TaskError, match="no two columns name the systems; there are first, second, who, topic"):
        read_battles(write(rows))
    roles = {"left": "first", "right": "second", "winner": "who", "group": "topic"}
    found = read_battles(write(rows), columns=roles)
    assert found.outcome.tolist() == [1, -1, 1, -1]
    assert found.group is not None
    with pytest.raises(TaskError, match="no column is called 'whom'"):
        read_battles(write(rows), columns={**roles, "winner": "whom"})
    with pytest.raises(ConfigError, match="no role is called 'loser'"):
        read_battles(write(rows), columns={"loser": "who"})
    without = read_battles(write(battles(weight=[1, 1, 1, 2])), columns={"weight": ""})
    assert without.weight is None


FAULTS: dict[str, tuple[Callable[[Rows], Any], str]] = {
    "unknown winner": (lambda rows: rows[2].update(winner="model_c"), "row 3, column winner: 'model_c' is no winner"),
    "two ways": (lambda rows: rows[1].update(winner="left"), "row 2, column winner: 'left' .* where row 1 follows"),
    "self-match": (lambda rows: rows[3].update(model_b="m2"), "row 4, column model_b: 'm2' is compared with itself"),
    "no name": (lambda rows: rows[1].update(model_b=None), "row 2, column model_b: no system is named"),
    "weight": (lambda rows: rows[1].update(weight="nan"), "row 2, column weight: .*nan.* is not a finite number"),
    "infinite": (lambda rows: rows[1].update(weight="inf"), "row 2, column weight: .*inf.* is not a finite number"),
    "word": (lambda rows: rows[1].update(weight="much"), "row 2, column weight: 'much' is not a finite number"),
    "negative": (lambda rows: rows[1].update(weight="-2"), "row 2, column weight: -2 is below 0"),
    "no weight": (lambda rows: rows[1].update(weight=None), "row 2, column weight: no value"),
    "no judge": (lambda rows: rows[3].update(judge=None), "row 4, column judge: no value"),
    "look-alike": (lambda rows: rows[1].update(model_b="m2 "), "row 2, column model_b: 'm2 ' and 'm2' look the same"),
    "anonymous": (lambda rows: rows[1].update(anony="maybe"), "row 2, column anony: 'maybe' is neither true nor false"),
    "nobody": (lambda rows: [row.update(winner=None) for row in rows], "no row can be used: 4 no value in winner"),
}


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(("spoil", "message"), FAULTS.values(), ids=FAULTS)
def test_mistakes_are_named_by_row_and_column(
    write: Write, kind: str, spoil: Callable[[Rows], Any], message: str
) -> None:
    rows = battles(weight=["1"] * 4, judge=["x"] * 4, anony=["true"] * 4)
    spoil(rows)
    path = write(rows, kind)
    with pytest.raises(TaskError, match=rf"battles{kind}: {message}"):
        read_battles(path)


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_missing_columns_are_named(write: Write, kind: str) -> None:
    rows = [{"model_a": a, "model_b": b, "vote": 1} for a, b in PAIRS]
    with pytest.raises(TaskError, match="no column says who won; there are model_a, model_b, vote; needed: winner"):
        read_battles(write(rows, kind))


def test_one_model_and_no_rows(write: Write, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(TaskError, match=r"empty.csv: the file is empty"):
        read_battles(empty)
    empty.write_text("model_a,model_b,winner\n")
    with pytest.raises(TaskError, match="a header but no rows"):
        read_battles(empty)
    lines = tmp_path / "empty.jsonl"
    lines.write_text("\n")
    with pytest.raises(TaskError, match="the file is empty"):
        read_battles(lines)
    with pytest.raises(TaskError, match=r"nowhere.csv: no such file"):
        read_battles(tmp_path / "nowhere.csv")
    with pytest.raises(TaskError, match=r"battles.xls: not a .csv, .tsv, .jsonl, .parquet file"):
        read_battles(tmp_path / "battles.xls")


HEADER = b"model_a,model_b,winner\n"
BROKEN: dict[str, tuple[bytes, str]] = {
    "latin-1": (HEADER + b"m1,m2,a\nm1,caf\xe9,b\n", "row 2, column model_b: .*is not UTF-8; save the file in one"),
    "utf-16": ("model_a,model_b,winner\nm1,m2,a\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
    "fields": (HEADER + b"m1,m2,a\nm1,m2\n", "row 2: 2 fields where the header has 3"),
    "header": (b"model_a,model_a,winner\nm1,m2,a\n", "the header names model_a twice"),
    "composed": (HEADER + "m1,é,a\nm1,e\u0301,b\n".encode(), "row 2, column model_b: .* look the same"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_text_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "battles.csv"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=message):
        read_battles(path)


def test_a_byte_order_mark_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "battles.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER + b"m1,m2,a\n")
    assert read_battles(path).outcome.tolist() == [1]


def test_broken_lines_of_json_are_named(tmp_path: Path) -> None:
    path = tmp_path / "battles.jsonl"
    good = '{"model_a": "x", "model_b": "y", "winner": "a"}\n'
    for line, message in {
        "{": "row 2: not JSON",
        "[1]": "row 2: a JSON list, not an object",
        '{"model_a": ["x"], "model_b": "y"}': "row 2, column model_a: a list, not a single value",
    }.items():
        path.write_text(good + line + "\n")
        with pytest.raises(TaskError, match=message):
            read_battles(path)


def test_a_file_that_is_no_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "battles.parquet"
    path.write_bytes(b"model_a,model_b")
    with pytest.raises(TaskError, match="not a readable Parquet file"):
        read_battles(path)


def test_large_parquet_files_are_read_in_pieces(tmp_path: Path) -> None:
    """Dictionaries differ from piece to piece; codes must not."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rng = np.random.default_rng(0)
    n, k = 300_000, 50
    left = np.sort(rng.integers(0, k, n))
    right = (left + rng.integers(1, k, n)) % k
    names = np.array([f"m{i:02}" for i in range(k)])
    outcome = rng.integers(-1, 2, n)
    table = pyarrow.table(
        {"model_a": names[left], "model_b": names[right], "winner": np.array(["b", "tie", "a"])[outcome + 1]}
    )
    parquet.write_table(table, tmp_path / "big.parquet", row_group_size=70_000)
    found = read_battles(tmp_path / "big.parquet")
    np.testing.assert_array_equal(found.left, left)
    np.testing.assert_array_equal(found.right, right)
    np.testing.assert_array_equal(found.outcome, outcome)
