"""Rankings from files: their groups, judges and gaps; the three forms are tested with `whetstone rank`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from whetstone.core.errors import TaskError
from whetstone.ranking.ballots import read_rankings

ROWS: list[dict[str, Any]] = [
    {"prompt_id": "q", "judge": "ann", "ranking": [["a"], ["b", "c"]], "all_bad": False},
    {"prompt_id": "p", "judge": "bob", "ranking": None, "all_bad": False},
    {"prompt_id": "p", "judge": "bob", "ranking": [["c", "a"]], "all_bad": True},
    {"prompt_id": "q", "judge": "bob", "ranking": ["b", "a"], "all_bad": False},
    {"prompt_id": "p", "judge": "ann", "ranking": ["b"], "all_bad": False},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_groups_judges_and_what_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", ROWS)
    found, dropped = read_rankings(path)
    assert found.order.tolist() == [[0, 1, 2], [2, 0, -1], [1, 0, -1]]
    assert found.tied is not None
    assert found.tied.tolist() == [[False, False, True], [False, True, False], [False, False, False]]
    assert found.group is not None
    assert found.group.tolist() == [1, 0, 1]
    assert found.judges == ("ann", "bob")
    assert found.judge is not None
    assert found.judge.tolist() == [0, 1, 1]
    assert dropped == {"no value in ranking": 1, "rankings of fewer than two systems": 1}
    kept, dropped = read_rankings(path, drop_both_bad=True)
    assert len(kept) == 2
    assert dropped["all bad"] == 1


def test_formats_agree(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    plain = [{**row, "ranking": row["ranking"] and json.dumps(row["ranking"])} for row in ROWS]
    lists = [row for row in ROWS if row["ranking"] and isinstance(row["ranking"][0], str)]
    (tmp_path / "r.csv").write_text(
        "prompt_id,judge,ranking\n"
        + "".join(f"{r['prompt_id']},{r['judge']},{' > '.join(r['ranking'])}\n" for r in lists)
    )
    parquet.write_table(pyarrow.Table.from_pylist(plain), tmp_path / "r.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(lists), tmp_path / "l.parquet")
    whole, _ = read_rankings(write(tmp_path / "r.jsonl", ROWS))
    again, _ = read_rankings(tmp_path / "r.parquet")
    assert again.order.tolist() == whole.order.tolist()
    for name in ("r.csv", "l.parquet"):
        found, dropped = read_rankings(tmp_path / name)
        assert found.order.tolist() == [[1, 0]]
        assert found.group is not None
        assert dropped == {"rankings of fewer than two systems": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompt_id": None}, "row 4, column prompt_id: no value"),
        ({"judge": " "}, "row 4, column judge: no value"),
        ({"ranking": 7}, "row 4, column ranking: 7 is no ranking"),
        ({"ranking": ["a", ["b", "a"]]}, "row 4, column ranking: 'a' stands there twice"),
        ({"ranking": '["a", "b"'}, "is not a JSON list"),
    ],
)
def test_what_cannot_be_right_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    rows = [*ROWS[:3], {**ROWS[3], **change}]
    with pytest.raises(TaskError, match=said.replace("[", r"\[")):
        read_rankings(write(tmp_path / "r.jsonl", rows))


def test_nothing_to_rank(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no row ranks two systems"):
        read_rankings(write(tmp_path / "r.jsonl", [ROWS[1], ROWS[4]]))
