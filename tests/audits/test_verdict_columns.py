"""Columns of verdicts are what the rows say, however many there are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from whetstone.audits.recorded import audit_verdicts
from whetstone.audits.recorded_groups import accuracy_gaps
from whetstone.audits.rows import verdicts_of
from whetstone.audits.verdict_columns import SPACES, Encoder, Judged, judged
from whetstone.core.errors import TaskError
from whetstone.ranking.tables import read_columns

SHARES = {"first": 1.0, "second": 0.0, "tie": 0.5}


def made(n: int, seed: int) -> list[dict]:
    """Rows with every field here and there missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        a, b = rng.choice(list("xyz"), 2, replace=False)
        row = {
            "judge": str(rng.choice(["j", "k"])),
            "prompt": f"p{rng.integers(6)}",
            "first": str(a),
            "second": str(b),
            "first_length": int(rng.integers(9)),
            "second_length": int(rng.integers(9)),
            "verdict": [None, "first", "second", "tie", 0.25][rng.integers(5)],
            "label": [None, "first", "tie"][rng.integers(3)],
        }
        if seed % 2 and i % 3 == 0:
            row |= {"pair": f"named-{i % 4}", "swapped": bool(rng.integers(2))}
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_columns_say_what_rows_say_one_by_one(seed: int) -> None:
    rows = made(80, seed)
    columns = verdicts_of(rows)
    for judge, found in columns.items():
        own = [row for row in rows if row["judge"] == judge]
        order: dict[object, tuple[int, str]] = {}
        for at, row in enumerate(own):
            key = row.get("pair") or (row["prompt"], *sorted((row["first"], row["second"])))
            first = order.setdefault(key, (at, row["first"]))
            assert found.pair[at] == found.pair[first[0]]
            assert found.swapped[at] == row.get("swapped", first[1] != row["first"])
            assert (found.names[found.sources[at, 0]], found.names[found.sources[at, 1]]) == (
                row["first"],
                row["second"],
            )
            said = row["verdict"]
            assert found.chosen[at] == SHARES.get(said, said) if said is not None else np.isnan(found.chosen[at])
            assert found.gold[at] == SHARES[row["label"]] if row["label"] else np.isnan(found.gold[at])
            assert found.lengths[at].tolist() == [row["first_length"], row["second_length"]]
        assert len(np.unique(found.pair)) == len(order)
        assert len(np.unique(found.groups)) == len({row["prompt"] for row in own})


def test_a_file_and_its_rows_give_the_same_audit(tmp_path: Path) -> None:
    rows = [dict(row, judge="j") for row in made(200, 0)]
    path = tmp_path / "v.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = {name: column for name, column in read_columns(path, SPACES).items() if (column.codes >= 0).any()}
    assert audit_verdicts(judged(table)["j"].verdicts, own="x") == audit_verdicts(verdicts_of(rows)["j"], own="x")


def test_what_cannot_be_is_named_by_row() -> None:
    encoder = Encoder()
    for row in ({"verdict": "first"}, {"verdict": True}):
        encoder.add(row)
    with pytest.raises(TaskError, match="row 2: verdict is True"):
        judged(encoder.columns())
    assert judged({}) == {}


def planted(gap: float, n: int, *, seed: int = 0) -> Judged:
    """A judge that is right in 80 % of the cases, in one of three categories by `gap` less often; both orders agree."""
    rng = np.random.default_rng(seed)
    encoder = Encoder()
    for i in range(n):
        right = rng.random() < 0.8 - gap * (i % 3 == 0)
        for swapped in (False, True):
            label = "second" if swapped else "first"
            encoder.add(
                {
                    "prompt": f"{i}",
                    "swapped": swapped,
                    "pair": f"{i}",
                    "label": label,
                    "verdict": label if right else {"first": "second", "second": "first"}[label],
                    "category": ["10", "9", "b"][i % 3],
                }
            )
    return judged(encoder.columns())["judge"]


@pytest.mark.parametrize("n", [600, 30_000])
def test_a_gap_between_categories_is_found_at_its_size(n: int) -> None:
    found = {f.name: f for f in accuracy_gaps(planted(0.25, n))}
    assert list(found) == ["accuracy 9", "accuracy 10", "accuracy b", "gap"]
    assert found["gap"].estimate == pytest.approx(0.25, abs=0.08)
    assert found["gap"].p < 0.01
    assert found["gap"].verdict == "worst in 10"


def test_no_gap_is_found_where_there_is_none() -> None:
    """Verdicts in two orders are not independent: whole prompts are dealt, so that the level is kept."""
    p = [accuracy_gaps(planted(0.0, 90, seed=seed))[-1].p for seed in range(60)]
    assert sum(value < 0.05 for value in p) <= 7
    large = [accuracy_gaps(planted(0.0, 21_000, seed=seed))[-1].p for seed in range(4)]
    assert sum(value < 0.05 for value in large) <= 1


def test_rows_without_a_judge_join_those_of_one_called_judge() -> None:
    rows = [{"verdict": "first"}, {"verdict": "tie", "judge": "judge"}, {"verdict": "second", "judge": "b"}]
    found = verdicts_of(rows)
    assert {name: one.chosen.tolist() for name, one in found.items()} == {"judge": [1.0, 0.5], "b": [0.0]}


def test_a_category_may_be_any_character() -> None:
    """A raised two is a digit, but no number."""
    found = accuracy_gaps(replace(planted(0.0, 30), categories=("\u00b2", "10", "9")))
    assert [f.name for f in found[:-1]] == ["accuracy 9", "accuracy 10", "accuracy \u00b2"]


def test_a_number_beyond_all_floats_is_named_by_row() -> None:
    encoder = Encoder()
    encoder.add({"verdict": 10**400})
    with pytest.raises(TaskError, match=r"row 1: verdict is 1000.*; it can be first"):
        judged(encoder.columns())
