"""whetstone convert: nothing that a form can say is lost, what is left out is counted; rank reads the same files."""

from __future__ import annotations

import json
import math
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whetstone.app import cli
from whetstone.app.outputs import read_outputs
from whetstone.app.rank_files import kind_of, read_table
from whetstone.app.verdict_files.ranked import holds_pairs, read_comparisons
from whetstone.app.verdict_files.reading import FORMATS, Tally, read_verdicts, stream_verdicts
from whetstone.app.verdict_files.writing import FIELDS, convert
from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.reading import read_battles

GAMES = [
    {"score": "B>A", "judgment": {"answer": "[[B>A]]"}, "prompt": []},
    {"score": "A>>B", "judgment": {"answer": "[[A>>B]]"}, "prompt": []},
]
HARD = [
    {"uid": f"u{i}", "category": "c", "judge": "gpt", "model": "tuned", "baseline": "base", "games": GAMES}
    for i in range(4)
]
KINDS = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".csv.gz", ".parquet")

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
NAME = TEXT.filter(str.strip)
PAIRED = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["first", "second", "tie", None])
        | st.floats(0, 1).filter(lambda share: share not in (0, 1))
    },
    optional={
        **dict.fromkeys(("id", "judge", "prompt", "pair", "first", "second", "category", "protocol"), NAME),
        **dict.fromkeys(("raw", "question", "first_text", "second_text"), TEXT),
        **dict.fromkeys(("first_length", "second_length", "tokens", "turn"), st.integers(0, 10**9)),
        "label": st.sampled_from(["first", "second", "tie"]),
        "swapped": st.booleans(),
        "both_bad": st.booleans(),
        "strength": st.floats(0, 1),
        "mine": TEXT,
    },
)
SCORED = st.fixed_dictionaries(
    {"score": st.none() | st.floats(-1e6, 1e6), "system": NAME},
    optional={
        **dict.fromkeys(("id", "judge", "prompt", "metric"), NAME),
        **dict.fromkeys(("raw", "question", "answer"), TEXT),
        **dict.fromkeys(("length", "repeat"), st.integers(0, 10**9)),
        "label": st.floats(-1e6, 1e6),
    },
)


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    path = tmp_path / "judgments.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in HARD))
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return list(stream_verdicts(path, texts=True)[1])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(PAIRED | SCORED, min_size=1, max_size=5))
def test_own_rows_come_back_as_they_were(tmp_path: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    """From every form that rows are written in: words, numbers, truths, line breaks, quotes, control characters."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = convert(source, tmp_path / f"out{kind}", overwrite=True)
    assert (done.rows, done.dropped) == (len(rows), {})
    assert rows_of(tmp_path / f"out{kind}") == rows_of(source) == rows


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_only_data(tmp_path: Path, kind: str) -> None:
    """Names that look like paths, format strings, flags and markup stay what they are, and write nowhere else."""
    hostile = [
        "../../etc/x",
        "{0}{judge}",
        "%s%n",
        "--overwrite",
        "=1+1",
        "<script>",
        "[red]x[/]",
        "\x1b[31m",
        "a\nb\r\nc",
    ]
    rows = [{"verdict": "tie", "judge": text, "first": text, "second": "b", "raw": text} for text in hostile]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    convert(source, tmp_path / "out" / f"rows{kind}")
    assert rows_of(tmp_path / "out" / f"rows{kind}") == rows
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"rows{kind}"]


def test_what_a_table_cannot_hold(tmp_path: Path) -> None:
    """A list in a field of the user's own becomes its JSON; half a character is for JSON alone."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"verdict": "tie", "mine": [1, {"a": null}], "number": 5}\n')
    convert(source, tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv") == [{"verdict": "tie", "mine": '[1, {"a": null}]', "number": "5"}]
    source.write_text('{"verdict": "tie", "raw": "\\ud83d"}\n')
    convert(source, tmp_path / "half.jsonl")
    assert rows_of(tmp_path / "half.jsonl") == rows_of(source)
    for name in ("half.csv", "half.parquet"):
        with pytest.raises(TaskError, match=f"{name}: a text holds half a character .*; write .jsonl instead"):
            convert(source, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_own_fields_of_any_kind(tmp_path: Path) -> None:
    """Dates become texts, NaN is no value, and what JSON cannot say is told by its row."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    source, target = tmp_path / "own.parquet", tmp_path / "own.jsonl"
    table = {"verdict": ["first", "tie"], "when": [date(2026, 1, 2)] * 2, "seconds": [math.nan, 1.5]}
    parquet.write_table(pyarrow.table(table), source)
    convert(source, target)
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        {"verdict": "first", "when": "2026-01-02"},
        {"verdict": "tie", "when": "2026-01-02", "seconds": 1.5},
    ]
    source = tmp_path / "own.json"
    source.write_text('{"verdict": "tie"} {"verdict": "tie", "seconds": [Infinity]}')
    with pytest.raises(TaskError, match=r"^own.jsonl: row 2 has a number that is not finite"):
        convert(source, target, overwrite=True)
    source.write_text(json.dumps({"verdict": "tie", "tokens": 10**400}))
    with pytest.raises(TaskError, match=r"^own.parquet: a value fits no column of Parquet"):
        convert(source, tmp_path / "own.parquet", overwrite=True)


def test_whole_or_not_at_all(hard: Path) -> None:
    """Nothing is written over, and a record that is wrong leaves no file."""
    target = hard.parent / "out.jsonl"
    convert(hard, target)
    before = target.read_bytes()
    with pytest.raises(ConfigError, match="exists already; choose another name or add --overwrite"):
        convert(hard, target)
    with pytest.raises(ConfigError, match=r"exists already; choose another name$"):
        convert(target, target, overwrite=True)
    with hard.open("a") as file:
        file.write('{"uid": "u9", "model": "x", "games": 5}\n')
    with pytest.raises(TaskError, match=r"judgments.jsonl:5: games: 5 is not a list"):
        convert(hard, target, overwrite=True)
    assert target.read_bytes() == before
    assert sorted(path.name for path in hard.parent.iterdir()) == ["judgments.jsonl", "out.jsonl"]
    with pytest.raises(ConfigError, match=r"out.txt: the name must end in .jsonl, .csv, .tsv, .parquet"):
        convert(hard, hard.parent / "out.txt")
    with pytest.raises(TaskError, match=r"nothing to write as scores .left out: 8 a verdict, or a score without"):
        convert(hard.parent / "out.jsonl", hard.parent / "s.csv", to="scores")


def same(one: Comparisons, two: Comparisons) -> None:
    a, b = count(one), count(two)
    assert a.names == b.names
    assert (a.wins == b.wins).all()
    assert (a.ties == b.ties).all()


def test_battles_are_what_rank_reads_from_the_verdicts(hard: Path) -> None:
    """By way of arena columns or straight from the judgments."""
    battles = hard.parent / "battles.csv"
    done = convert(hard, battles, to="battles")
    assert (done.rows, done.format, done.to) == (8, "arena_hard", "battles")
    direct = read_comparisons(hard)
    same(direct, read_battles(battles))
    assert direct.names == ("base", "tuned")
    assert count(direct).wins.tolist() == [[0, 0], [8, 0]]
    assert (kind_of(hard), kind_of(battles)) == ("battles", "battles")
    found = read_table(hard).data
    assert isinstance(found, Comparisons)
    same(found, direct)
    assert found.group is not None
    assert len(set(found.group.tolist())) == 4
    assert found.judges == ("gpt",)


def test_rank_counts_what_it_cannot_use(tmp_path: Path) -> None:
    """Unreadable verdicts, nameless answers; probabilities count by their side of one half."""
    path = tmp_path / "verdicts.jsonl"
    rows: list[dict[str, Any]] = [{"verdict": share, "first": "a", "second": "b"} for share in (0.9, 0.5, 0.2, None)]
    path.write_text("".join(json.dumps(row) + "\n" for row in (*rows, {"verdict": "tie"})))
    found = read_comparisons(path)
    assert found.outcome.tolist() == [1, 0, -1]
    assert found.dropped == {"unreadable verdicts": 1, "scores, and verdicts on answers without names": 1}
    path.write_text(json.dumps(rows[-1]) + "\n")
    with pytest.raises(TaskError, match="no verdict on two named systems can be used"):
        read_comparisons(path)


def test_arena_columns_stay_with_rank(tmp_path: Path) -> None:
    """Files that rank has always read are read as before; an array of battles is new."""
    battle = {"model_a": "x", "model_b": "y", "winner": "model_a"}
    (tmp_path / "b.jsonl").write_text(json.dumps(battle) + "\n")
    (tmp_path / "b.json").write_text(json.dumps([battle, battle]))
    (tmp_path / "s.csv").write_text("system,score\nx,1\n")
    assert [holds_pairs(tmp_path / name) for name in ("b.jsonl", "b.json", "s.csv", "none")] == [
        False,
        True,
        False,
        False,
    ]
    data = read_table(tmp_path / "b.json").data
    assert isinstance(data, Comparisons)
    assert len(data.left) == 2
    (tmp_path / "b.json").write_text(json.dumps([battle, battle | {"winner": "tie (bothbad)", "anony": False}]))
    assert read_table(tmp_path / "b.json").dropped == {"a voter who knew the names": 1}
    left = read_table(tmp_path / "b.json", anonymous_only=False, drop_both_bad=True)
    assert left.dropped == {"both bad": 1}


def test_scores_are_a_table_for_rank(tmp_path: Path) -> None:
    """One task for each prompt and judge."""
    path = tmp_path / "scores.jsonl"
    rows = [
        {"score": score, "system": system, "prompt": prompt, "judge": "j"}
        for system, scores in (("a", (1, 2)), ("b", (3, 1)))
        for prompt, score in zip("pq", scores, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"score": None, "system": "a", "prompt": "p"}]))
    done = convert(path, tmp_path / "table.csv", to="scores")
    assert (done.rows, sum(done.dropped.values())) == (4, 1)
    table = read_table(tmp_path / "table.csv")
    assert table.kind == "scores"
    assert table.data.names == ("a", "b")


def test_outputs_can_be_judged_again(tmp_path: Path) -> None:
    """Each pair once, with its label and the names of who wrote the answers."""
    row = {"verdict": "first", "label": "second", "question": "Q", "first_text": "x", "second_text": "yy"}
    named = row | {"first": "a", "second": "b", "prompt": "q1", "swapped": False}
    turned = named | {"first_text": "yy", "second_text": "x", "first": "b", "second": "a", "swapped": True}
    path = tmp_path / "verdicts.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (named, turned, {"verdict": "tie"})))
    done = convert(path, tmp_path / "outputs.jsonl", to="outputs", texts=False)
    assert done.rows == 1
    assert sum(done.dropped.values()) == 2
    (item,) = read_outputs([tmp_path / "outputs.jsonl"])
    assert (item.question, item.preferred, {name: a.text for name, a in item.answers.items()}) == (
        *("Q", 0.0, {"a": "x", "b": "yy"}),
    )


def test_labels_from_another_file(tmp_path: Path) -> None:
    """People's votes on the same pairs, in whichever order; several are averaged; pairs without one stay unlabelled."""
    judged = [
        {"verdict": "first", "first": a, "second": b, "prompt": prompt, "turn": 1, "judge": "gpt"}
        for a, b, prompt in (("x", "y", "p"), ("y", "x", "p"), ("x", "y", "q"), ("x", "z", "p"))
    ]
    votes = [
        {"question_id": prompt, "model_a": a, "model_b": b, "winner": winner, "turn": turn}
        for prompt, a, b, winner, turn in (
            *(("p", "y", "x", "model_a", 1), ("p", "x", "y", "model_b", 1), ("p", "x", "y", "model_a", 2)),
            *(("q", "x", "y", "model_a", 1), ("q", "x", "y", "tie", 1)),
        )
    ]
    for name, rows in (("judged", judged), ("votes", votes)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = convert(tmp_path / "judged.jsonl", tmp_path / "out.jsonl", labels=tmp_path / "votes.jsonl")
    assert done.labelled == 3
    assert [row.get("label") for row in rows_of(tmp_path / "out.jsonl")] == ["second", "first", 0.75, None]
    (tmp_path / "votes.jsonl").write_text(json.dumps(votes[0] | {"question_id": "other"}) + "\n")
    with pytest.raises(
        TaskError, match=r"votes.jsonl: no label fits; verdicts are matched by prompt, turn and systems"
    ):
        convert(tmp_path / "judged.jsonl", tmp_path / "none.csv", labels=tmp_path / "votes.jsonl")
    assert not (tmp_path / "none.csv").exists()
    (tmp_path / "votes.jsonl").write_text('{"verdict": "tie", "first": "x", "second": "y"}\n')
    with pytest.raises(TaskError, match=r"no readable verdict or score of a named prompt and system$"):
        convert(tmp_path / "judged.jsonl", tmp_path / "none.csv", labels=tmp_path / "votes.jsonl")


def test_labels_from_a_verifier_in_the_same_file(tmp_path: Path) -> None:
    """The exact match that Inspect recorded says how right its model grader was."""
    log = Path(__file__).parent / "verdict_files" / "inspect.eval"
    done = convert(log, tmp_path / "out.csv", label="match")
    assert (done.rows, done.labelled, done.dropped) == (3, 3, {"a label itself": 3})
    told = {row["prompt"]: (row["score"], row["label"]) for row in rows_of(tmp_path / "out.csv")}
    assert told == {"q1": (1.0, 1.0), "q2": (None, 0.0), "3": (0.5, 1.0)}
    with pytest.raises(TaskError, match=r"inspect.eval: no readable verdict or score of a named .* by 'f1'"):
        convert(log, tmp_path / "none.csv", label="f1")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Of JSON Lines and of an array: rows are read and written one at a time."""
    row = {"verdict": "first", "first": "a", "second": "b", "prompt": "p", "raw": "x" * 900}
    for name, text in (("a.jsonl", "{}\n" * 8_000), ("a.json", f"[{', '.join(['{}'] * 8_000)}]")):
        (tmp_path / name).write_text(text.replace("{}", json.dumps(row)))
        tracemalloc.start()
        assert convert(tmp_path / name, tmp_path / f"{name}.csv").rows == 8_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 7_000_000 < (tmp_path / name).stat().st_size


def test_the_verb(hard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was written, from what, what was left out and where, and what to do next; the same as JSON."""
    with hard.open("a") as file:
        file.write(json.dumps(HARD[0] | {"baseline": "tuned"}) + "\n")
    out = hard.parent / "verdicts.jsonl"
    assert cli.main(["convert", str(hard), str(out), "--no-texts"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "8 rows as verdicts, from arena_hard" in said
    assert f"Left out: 1 times a system compared with itself; first at {hard}:5" in said
    assert f"Next: whetstone audit {out}" in said
    assert "raw" not in out.read_text()
    assert cli.main(["convert", str(hard), str(out), "--overwrite", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["dropped"]) == (8, {"a system compared with itself": 1})
    assert "[[A>>B]]" in out.read_text()
    assert cli.main(["convert", str(hard), str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["convert", str(hard), str(out), "--scale", "9-1"]) == 2
    assert "is no scale; write LOW-HIGH" in capsys.readouterr().err


def test_rank_prints_the_judgments(hard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """whetstone rank FILE on a file of judgments."""
    assert cli.main(["rank", str(hard), "--json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert [system["name"] for system in board["systems"]] == ["tuned", "base"]


def test_a_tally_names_the_first_of_each_reason(hard: Path) -> None:
    """With file and line."""
    with hard.open("a") as file:
        file.write((json.dumps(HARD[0] | {"games": [None, None]}) + "\n") * 2)
    tally = Tally()
    assert len(list(stream_verdicts(hard, tally=tally)[1])) == 8
    assert (tally.dropped, tally.places) == ({"a game without a reply": 4}, {"a game without a reply": f"{hard}:5"})
    assert read_verdicts(hard).dropped == tally.dropped


def test_the_documentation_names_every_format_and_field() -> None:
    """docs/verdicts.md leaves none out."""
    text = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    assert [name for name in (*FORMATS, *FIELDS) if f"`{name}`" not in text] == []
