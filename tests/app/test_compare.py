"""`whetstone compare` on score files: what it reads, what it says, what it draws, and what it refuses in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.app import cli
from whetstone.app.comparison_text import letter
from whetstone.app.scores import Columns, align, read_scores
from whetstone.app.verbs.compare import compare
from whetstone.core.errors import WhetstoneError

Write = Callable[..., Path]
Call = Callable[..., Any]


@pytest.fixture
def call(run_verb: Call) -> Call:
    return partial(run_verb, verb="compare")


def rows(values: Sequence[Any], **more: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "score": value, **{name: column[i] for name, column in more.items()}}
        for i, value in enumerate(values)
    ]


def planted(n: int = 400, *accuracies: float, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    shared = rng.random(n)
    return [np.where(rng.random(n) < 0.5, shared, rng.random(n)).__lt__(a).astype(int).tolist() for a in accuracies]


@pytest.fixture
def two(write: Write) -> tuple[str, str]:
    old, new = planted(400, 0.6, 0.75)
    return str(write("old.csv", rows(old))), str(write("new.jsonl", rows(new)))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_every_format_reads_the_same(write: Write, name: str) -> None:
    found = read_scores(write(name, rows([1, 0, 1], group=["x", "x", "y"], level=[1, 2, 2])))
    assert [scores.name for scores in found] == ["a"]
    assert found[0].values == {"q0": 1.0, "q1": 0.0, "q2": 1.0}
    assert found[0].groups == {"q0": "x", "q1": "x", "q2": "y"}
    assert found[0].levels == {"q0": "1", "q1": "2", "q2": "2"}


def test_aliases_and_words(write: Write) -> None:
    lines = [{"doc_id": i, "exact_match": word} for i, word in enumerate(("true", "False", "yes", "wrong"))]
    assert list(read_scores(write("a.csv", lines))[0].values.values()) == [1, 0, 1, 0]
    assert read_scores(write("b.jsonl", [{"idx": 0, "passed": True}]))[0].values == {"0": 1.0}


def test_one_file_may_hold_several_systems(write: Write) -> None:
    long = [{"item": i, "model": m, "score": i + (m == "y")} for i in range(3) for m in "xy"]
    assert [s.name for s in read_scores(write("long.csv", long))] == ["x", "y"]
    wide = write("wide.csv", [{"id": i, "x": i, "y": i + 1} for i in range(3)])
    assert [s.name for s in read_scores(wide, Columns(score=("x", "y")))] == ["x", "y"]
    assert compare(wide, columns=Columns(score=("x", "y"))).pairs[0].difference.value == 1


def test_a_single_value_of_the_system_column_is_no_name(write: Write, call: Call) -> None:
    """Two prompts of one model: the files tell the systems apart."""
    old, new = planted(60, 0.5, 0.6)
    write("old.csv", rows(old, model=["m"] * 60))
    write("new.csv", rows(new, model=["m"] * 60))
    assert [s["name"] for s in call("old.csv", "new.csv", "--json")["systems"]] == ["old", "new"]


def test_what_is_not_used_is_counted(write: Write, call: Call) -> None:
    write("a.csv", rows([1, 0, "", 1, 1, 0]))
    write("b.csv", rows([1, 1, 1, 0, ""])[1:])
    found = call("a.csv", "b.csv", "--json")
    assert found["items"] == 2
    assert [s["left_out"] for s in found["systems"]] == [
        {"rows without a score": 1, "items that another system lacks": 3},
        {"rows without a score": 1, "items that another system lacks": 1},
    ]
    assert "a: 3 items that another system lacks left out" in call("a.csv", "b.csv")


def test_repetitions_are_averaged_on_request(write: Write, call: Call) -> None:
    write("a.csv", rows([1, 0]) + rows([0, 0]))
    write("b.csv", rows([1, 1]) + rows([1, 0]))
    assert cli.main(["compare", "a.csv", "b.csv"]) == 2
    found = call("a.csv", "b.csv", "--repeats", "--json")
    assert [s["mean"]["value"] for s in found["systems"]] == [0.25, 0.75]
    assert [s["mean"]["n"] for s in found["systems"]] == [2, 2]


def test_two_systems(two: tuple[str, str], call: Call) -> None:
    found = call(*two, "--json")
    assert found["schema"] == "whetstone.comparison/1"
    (pair,) = found["pairs"]
    assert (pair["treatment"], pair["baseline"], pair["method"]) == ("new", "old", "mid-p McNemar")
    assert pair["separated"]
    assert pair["wins"] + pair["losses"] + pair["ties"] == pair["difference"]["n"] == 400
    assert pair["difference"]["interval"][0] < pair["difference"]["value"] < pair["difference"]["interval"][1]
    assert pair["negative_flips"]["value"] == pair["losses"] / 400
    assert found["curves"] == []
    text = call(*two)
    assert "new is better than old: +" in text
    assert "400" in text


def test_many_systems(write: Write, call: Call) -> None:
    for name, values in zip("abcd", planted(2000, 0.5, 0.7, 0.7, 0.9), strict=True):
        write(f"{name}.csv", rows(values))
    files = [f"{name}.csv" for name in "abcd"]
    found = call(*files, "--json")
    assert len(found["pairs"]) == 6
    assert [sorted(group) for group in found["ties"]] == [["d"], ["b", "c"], ["a"]]
    assert {s["name"]: s["rank"] for s in found["systems"]} == {"a": [4, 4], "b": [2, 3], "c": [2, 3], "d": [1, 1]}
    assert "d is best; 5 of 6 pairs are told apart (Holm, 5 %)" in call(*files)
    only = call(*files, "--only-first", "--json")
    assert [pair["baseline"] for pair in only["pairs"]] == ["a", "a", "a"]
    assert only["ties"] == []


def test_real_scores_have_profiles_and_a_middle(write: Write, call: Call) -> None:
    rng = np.random.default_rng(1)
    write("a.csv", rows(rng.integers(1, 8, 200).tolist()))
    write("b.csv", rows(rng.integers(3, 11, 200).tolist()))
    found = call("a.csv", "b.csv", "--json")
    assert found["pairs"][0]["method"] == "paired t"
    assert [curve["name"] for curve in found["curves"]] == ["a", "b"]
    assert found["curves"][0]["thresholds"] == list(range(1, 11))
    assert found["systems"][1]["middle"]["value"] > found["systems"][0]["middle"]["value"]


def test_clusters_widen_the_intervals(write: Write, call: Call) -> None:
    old, new = planted(100, 0.5, 0.65)
    for name, values in (("old", old), ("new", new)):
        write(f"{name}.csv", rows(np.repeat(values, 4).tolist(), group=np.repeat(np.arange(100), 4).tolist()))
    found = call("old.csv", "new.csv", "--json")
    assert (found["items"], found["units"]) == (400, 100)
    pair = found["pairs"][0]
    assert pair["method"] == "paired clustered t"
    low, high = pair["difference"]["interval"]
    write("old.csv", rows(np.repeat(old, 4).tolist()))
    write("new.csv", rows(np.repeat(new, 4).tolist()))
    narrow = call("old.csv", "new.csv", "--json")["pairs"][0]["difference"]["interval"]
    assert high - low > 1.8 * (narrow[1] - narrow[0])
    assert "in 100 clusters" not in call("old.csv", "new.csv")


@pytest.mark.parametrize("test", ["mcnemar", "t", "bootstrap", "permutation", "sign", "anytime"])
def test_every_test_can_be_asked_for(two: tuple[str, str], call: Call, test: str) -> None:
    found = call(*two, "--test", test, "--json")
    assert found["pairs"][0]["separated"]
    assert found["pairs"][0]["difference"]["value"] == pytest.approx(
        found["systems"][1]["mean"]["value"] - found["systems"][0]["mean"]["value"]
    )


def test_the_anytime_test_says_when_it_could_have_stopped(two: tuple[str, str], call: Call) -> None:
    assert "old: decided after" in call(*two, "--test", "anytime")


def test_a_finished_list_is_shuffled_for_the_anytime_test(write: Write, call: Call) -> None:
    write("a.csv", rows([0] * 400))
    write("b.csv", rows([1] * 100 + [0] * 300))
    assert "not in random order" in call("a.csv", "b.csv", "--test", "anytime")
    found = call("a.csv", "b.csv", "--test", "anytime", "--shuffle", "--json")
    low, high = found["pairs"][0]["difference"]["interval"]
    assert low < 0.25 < high


@pytest.mark.parametrize(
    ("better", "options", "status"),
    [
        (True, [], 0),
        (True, ["not-worse", "--margin", "0.02"], 0),
        (True, ["no-regression"], 0),
        (True, ["equivalent", "--margin", "0.02"], 3),
        (True, ["equivalent", "--margin", "0.4"], 0),
        (False, [], 3),
        (False, ["not-worse", "--margin", "0.02"], 3),
        (False, ["no-regression"], 3),
    ],
)
def test_the_gate_speaks_by_its_exit_status(
    two: tuple[str, str], call: Call, better: bool, options: list[str], status: int
) -> None:
    sides = two if better else two[::-1]
    found = call(*sides, "--gate", *options, "--json", status=status)
    assert found["gate"]["passed"] is (status == 0)
    assert len(found["gate"]["failed"]) == (status != 0)


def test_identical_scores_pass_the_gates_that_ask_for_no_harm(write: Write, call: Call) -> None:
    values = np.random.default_rng(0).normal(size=20).tolist()
    write("a.csv", rows(values))
    write("b.csv", rows(values))
    for gate in (["no-regression"], ["not-worse", "--margin", "0.1"], ["equivalent", "--margin", "0.1"]):
        call("a.csv", "b.csv", "--gate", *gate)
    call("a.csv", "b.csv", "--gate", status=3)


def test_one_bad_system_fails_the_gate_for_all(write: Write, call: Call) -> None:
    for name, values in zip("abc", planted(800, 0.6, 0.75, 0.5), strict=True):
        write(f"{name}.csv", rows(values))
    found = call("a.csv", "b.csv", "c.csv", "--gate", "no-regression", "--json", status=3)
    assert found["gate"]["failed"] == ["c is worse than a"]


def test_names_can_be_given(two: tuple[str, str], call: Call) -> None:
    found = call("base=old.csv", "base2=new.jsonl", "--json")
    assert [s["name"] for s in found["systems"]] == ["base", "base2"]


def test_the_same_seed_gives_the_same_answer(two: tuple[str, str]) -> None:
    assert compare(*two, test="bootstrap", seed=3) == compare(*two, test="bootstrap", seed=3)


def test_swapping_the_systems_swaps_the_signs(two: tuple[str, str]) -> None:
    there, back = compare(*two).pairs[0], compare(*two[::-1]).pairs[0]
    assert there.difference.value == -(back.difference.value or 0)
    assert (there.wins, there.losses, there.p) == (back.losses, back.wins, back.p)


GOOD = "id,score\nq0,1\nq1,0\n"


@pytest.mark.parametrize(
    ("text", "argv", "said"),
    [
        ("id,score\nq0,1\nq1,high\n", [], "bad.csv:3: score: 'high' is not a number"),
        ("id,score\nq0,1\nq1,nan\n", [], "bad.csv:3: score: nan is not finite"),
        ("id,score\nq0,1\nq1,true\n", [], "bad.csv:3: score: 'true' is a word, but line 2 holds a number"),
        ("id,score\nq0,1\nq0,0\n", [], "bad.csv:3: id: 'q0' stands in line 2 already; give --repeats"),
        ("id,score\nq0,1\n,0\n", [], "bad.csv:3: id: empty"),
        ("id,score\nq0,1,2\n", [], "bad.csv:2: 3 fields where the header has 2"),
        ("name,points\nq0,1\n", [], "bad.csv:2: no column says which item a row is about; choose with --id COLUMN"),
        ("id,points\nq0,1\n", [], "bad.csv:2: no column says how good an item is; choose with --score COLUMN"),
        ("id,acc,reward\nq0,1,2\n", [], "bad.csv:2: reward and acc could both say how good an item is"),
        (GOOD, ["--score", "points"], "good.csv:2: no column 'points'; there are id, score"),
        ("id,score\n", [], "bad.csv: no rows"),
        ("", [], "bad.csv: no rows"),
        ("id,score\nz0,1\n", [], "have no item in common: ids look like 'q0' and 'z0'; choose the column with --id"),
        (GOOD, ["--test", "anytime", "--margin", "0.1"], "--margin adds tests with a fixed number of items"),
        (GOOD, ["--gate", "not-worse"], "--gate not-worse needs --margin"),
        (GOOD, ["--gate", "best"], "'best' is not one of better, not-worse, equivalent, no-regression"),
        (GOOD, ["--margin", "0"], "'0' is not a number above 0"),
        (GOOD, ["--level", "95"], "'95' is not between 0 and 1"),
        ("id,score\nq0,5\nq1,3\n", ["--test", "anytime"], "needs --bounds: the scores go from 0 to 5"),
        ("id,score\nq0,5\nq1,3\n", ["--test", "mcnemar"], "--test mcnemar: treatment must be true or false"),
        (GOOD, ["--picture", "good.csv/x.html"], "cannot write the picture to good.csv/x.html"),
    ],
)
def test_a_mistake_is_one_line(
    write: Write, capsys: pytest.CaptureFixture[str], text: str, argv: list[str], said: str
) -> None:
    Path("good.csv").write_text(GOOD)
    Path("bad.csv").write_text(text)
    assert cli.main(["compare", "good.csv", "bad.csv", *argv]) == 2
    err = capsys.readouterr().err
    assert err.startswith("whetstone: ")
    assert err.count("\n") == 1
    assert said in err


def test_more_mistakes(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("a.csv", rows([1, 0], group=["x", "y"]))
    write("b.csv", rows([1, 0], group=["x", "z"]))
    for argv, said in (
        (["a.csv", "b.csv"], "item 'q1' is in 'z' here and in 'y' in another file"),
        (["a.csv"], "needs at least two systems, and a.csv holds one"),
        (["a.csv", "a.csv"], "two systems are called 'a'; write NAME=FILE"),
        (["a.csv", "none.csv"], "none.csv: no such file"),
        (["a.csv", "b.txt"], "b.txt: no such file, and no runs are stored"),
        (["--gate", "a.csv", "b.csv"], "a bare --gate stands after the systems"),
        (["a.csv", "b.csv", "--picure", "x"], "did you mean '--picture'"),
    ):
        assert cli.main(["compare", *argv]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert said in err, err


def test_align_needs_nothing_but_common_items(write: Write) -> None:
    first = read_scores(write("a.csv", rows([1, 0, 1])))
    second = read_scores(write("b.csv", rows([0, 1, 1])[::-1]))
    found = align([*first, *second])
    assert found.items == ("q0", "q1", "q2")
    assert found.values == {"a": [1, 0, 1], "b": [0, 1, 1]}
    with pytest.raises(WhetstoneError, match="none is named"):
        align([])


def test_levels_are_in_order_whatever_they_are_called(write: Write, call: Call) -> None:
    names = ["10", "09", "\u00b2", "9" * 5000, "easy"]
    write("long.csv", [{"id": i, "model": m, "score": i % 2, "level": names[i % 5]} for i in range(50) for m in "ab"])
    found = call("long.csv", "--json")["slices"]
    assert [one["level"] for one in found] == ["09", "10", "9" * 5000, "easy", "\u00b2"]


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (1, 26, 27, 52, 53, 703)] == ["a", "z", "aa", "az", "ba", "aaa"]


def test_the_picture_stands_alone_and_escapes(write: Write, call: Call) -> None:
    rng = np.random.default_rng(2)
    hostile = '</script><img src=x onerror="alert(1)">'
    lines = [
        {"id": i, "model": m, "score": round(float(rng.normal(j, 1)), 2), "level": i % 3}
        for i in range(60)
        for j, m in enumerate([hostile, "b", "c", "d", "e"])
    ]
    write("long.csv", lines)
    call("long.csv", "--picture", "out/page.html", "--margin", "0.5")
    page = Path("out/page.html").read_text()
    assert "<img" not in page
    assert "http" not in page.replace("http-equiv", "")
    for title in ("Mean score", "item by item", "Row against column", "Performance profiles"):
        assert title in page
    assert page.count("<svg") >= 4
    assert len(page) < 300_000


def test_the_page_of_few_items_says_what_is_unknown(write: Write, call: Call) -> None:
    write("a.csv", rows([0.5]))
    write("b.csv", rows([0.25]))
    call("a.csv", "b.csv", "--picture", "p.html", "--margin", "0.1")
    assert call("a.csv", "b.csv", "--json")["pairs"][0]["p"] is None
