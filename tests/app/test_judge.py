"""`whetstone judge` on files: what it reads, what it writes, what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from whetstone.app.outputs import read_outputs
from whetstone.app.recorded_verdicts import read_recorded
from whetstone.app.verbs.judge import judge
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Form, Generation, Reply, Request, Usage
from whetstone.models.scripted import ScriptedModel

Call = Callable[..., Any]
Write = Callable[..., Path]
QUESTION = "63c-7e-3b+0"
RIGHT, WRONG = "c-7=56e-3=53b+0=53", "c-7=56e-3=54b+0=54"


@pytest.fixture
def call(run_verb: Call) -> Call:
    return partial(run_verb, verb="judge")


def lines(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def longest(request: Request) -> Reply | Exception:
    """A model that prefers the longer answer, and scores by length; a question with a ? is not for it."""
    part = request.prompt[-1].parts[0]
    assert isinstance(part, Form)
    fields = {name: value if isinstance(value, str) else value.text for name, value in part.fields}
    if "?" in fields["question"]:
        return Generation("who knows", usage=Usage(7, 2))
    if part.name == "compare":
        a, b = len(fields["first"]), len(fields["second"])
        return Generation(f"Verdict: {'E' if a == b else 'A' if a > b else 'B'}", usage=Usage(7, 2))
    return Generation(f"Score: {min(10, len(fields['answer']))}", usage=Usage(7, 2))


MODEL = ScriptedModel(longest, name="longest")
PAIRS = [
    {"id": "q1", "question": "one", "output_1": "aaa", "output_2": "a", "label": 1, "category": "easy"},
    {"id": "q2", "question": "two", "output_1": "a", "output_2": "aaaa", "label": 1, "category": "hard"},
    {"id": "q3", "question": "three", "output_1": "aa", "output_2": "bb", "label": 0, "category": "hard"},
    {"id": "q4", "question": "four?", "output_1": "aa", "output_2": "b", "label": 2, "category": "easy"},
]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv.csv", "parquet"])
def test_two_columns_of_any_format_become_rows_in_both_orders(write: Write, kind: str) -> None:
    path = write(f"pairs.{kind}", PAIRS)
    found = judge(path, model=MODEL, out="v.jsonl")
    rows = lines("v.jsonl")
    assert [(r["prompt"], r["swapped"], r["verdict"], r["label"]) for r in rows] == [
        ("q1", False, "first", "first"),
        ("q1", True, "second", "second"),
        ("q2", False, "second", "first"),
        ("q2", True, "first", "second"),
        ("q3", False, "tie", "tie"),
        ("q3", True, "tie", "tie"),
        ("q4", False, None, "second"),
        ("q4", True, None, "first"),
    ]
    assert rows[1]["first"] == "output_2"
    assert rows[1]["first_length"] == 1
    assert rows[6]["reason"]
    assert rows[6]["raw"] == "who knows"
    (standing,) = found.standings
    assert (standing.judged, standing.ties, standing.abstained) == (3, 1, 1)
    rates = {f.name: f for f in standing.findings}
    assert rates["win rate"].estimate == pytest.approx(0.5)
    assert rates["by the labels"].n == 4
    assert rates["error of the judge"].estimate == pytest.approx((0 - 1 + 0) / 3)
    assert found.reasons == {"unreadable reply in 2 of 2 orders": 1}
    assert (found.tokens, found.requests) == (72, 8)


def test_audit_and_rank_read_what_is_written(write: Write, call: Call) -> None:
    judge(write("pairs.jsonl", PAIRS * 1), model=MODEL, out="v.jsonl", name="me")
    recorded = read_recorded(Path("v.jsonl"))
    assert set(recorded.verdicts) == {"me"}
    assert recorded.verdicts["me"].categories == ("easy", "hard")
    audited = call("v.jsonl", "--json", verb="audit")
    assert audited["judges"][0]["n"] == 8
    board = call("v.jsonl", "--json", verb="rank")
    assert {system["name"] for system in board["systems"]} == {"output_1", "output_2"}


def test_a_file_for_each_system_meets_by_question_and_the_baseline_is_compared_with(write: Write) -> None:
    for name, text in (("old", "a"), ("new", "aaa"), ("mid", "aa")):
        write(f"{name}.jsonl", [{"question": f"{q}", "response": text} for q in range(5)])
    every = judge("old.jsonl", "new.jsonl", "M=mid.jsonl", model=MODEL)
    assert {(s.system, s.against) for s in every.standings} == {("old", "new"), ("old", "M"), ("new", "M")}
    assert next(s for s in every.standings if s.system == "old").findings[0].estimate == 0
    some = judge("old.jsonl", "new.jsonl", "M=mid.jsonl", model=MODEL, baseline="old")
    assert [(s.system, s.findings[0].estimate) for s in some.standings] == [("new", 1), ("M", 1)]


def test_half_a_surrogate_pair_in_a_text_is_written(write: Write) -> None:
    """A reply or an output that was cut within a character must not lose the verdicts that were paid for."""
    rows = [{"id": "a\ud83d", "question": "q?", "output_1": "x\ud83d", "output_2": "y"}]
    judge(write("p.jsonl", rows), model=MODEL, out="v.jsonl")
    assert [row["prompt"] for row in lines("v.jsonl")] == ["a\ud83d"] * 2


def test_few_labels_and_many_verdicts_give_a_corrected_rate(write: Write) -> None:
    """A judge of length on systems whose longer answer is the better one in 6 of 10 labelled pairs."""
    rows = [
        {"id": f"{i}", "question": f"{i}", "output_1": "a" * (3 if i % 4 else 1), "output_2": "aa"} for i in range(120)
    ]
    for i, row in enumerate(rows[:40]):
        row["label"] = "first" if (i % 4 > 0) == (i % 5 > 1) else "second"
    found = judge(write("p.jsonl", rows), model=MODEL)
    rates = {f.name: f for f in found.standings[0].findings}
    assert rates["win rate"].estimate == pytest.approx(0.75)
    assert rates["win rate"].n == 120
    assert rates["by the labels"].n == 40
    assert 0.4 < rates["by the labels"].estimate < 0.6
    _, high = rates["prediction-powered"].interval
    assert high < 0.75, "the labels say that the judge is too kind"
    assert rates["corrected"].interval[0] < 0.6


def test_a_signal_scores_one_answer_a_row_and_compares_when_asked_to(write: Write) -> None:
    rows = [
        {"question": str(q), "system": s, "output": "x" * n, "correct": n > 3}
        for q in range(6)
        for s, n in (("a", 2), ("b", 5))
    ]
    path = write("long.csv", rows)
    found = judge(path, model=MODEL, judge="pointwise", out="s.jsonl")
    assert [(s.system, s.findings[0].name, s.findings[0].estimate) for s in found.standings] == [
        ("a", "mean score", 2.0),
        ("b", "mean score", 5.0),
    ]
    assert {r["label"] for r in lines("s.jsonl")} == {0.0, 1.0}
    scores = read_recorded(Path("s.jsonl")).scores["longest pointwise"]
    assert scores.binary
    compared = judge(path, model=MODEL, judge="pointwise", by_higher=True, out="c.jsonl")
    assert compared.standings[0].findings[0].estimate == 0
    assert {(r["verdict"], r["label"]) for r in lines("c.jsonl")} == {("second", "second")}


def test_grit_judges_from_the_command_line_and_goes_on_without_asking_twice(write: Write, call: Call) -> None:
    rows = [{"question": QUESTION, "output_1": RIGHT, "output_2": WRONG, "label": 1}]
    write("pairs.jsonl", [dict(row, id=str(i), output_2=WRONG[:-1] + str(i)) for i, row in enumerate(rows * 8)])
    stopped = call("pairs.jsonl", "--model", "grit", "--critiques", "--max-tokens", "300", status=4)
    assert stopped == ""
    assert not Path("verdicts.jsonl").exists()
    text = call("resume", "last", "--max-tokens", "100k", verb="runs")
    assert "output_1" in text
    assert "May it be trusted? whetstone audit verdicts.jsonl" in text
    assert len(lines("verdicts.jsonl")) == 16
    again = call("pairs.jsonl", "--model", "grit", "--critiques", "--overwrite", "--json")
    assert again["paid"]["requests"] == 0
    assert again["standings"][0]["findings"][0]["estimate"] > 0.9


def test_options_stand_behind_the_name_or_as_flags(write: Write, call: Call) -> None:
    write("pairs.jsonl", [{"question": QUESTION, "output_1": RIGHT, "output_2": WRONG}])
    one = call(
        "pairs.jsonl", "--model", "grit", "--judge", "pairwise_judge:critiques=true", "--out", "a.jsonl", "--json"
    )
    two = call("pairs.jsonl", "--model", "grit", "--critiques", "--out", "b.jsonl", "--json")
    assert one["judge"] == two["judge"] == "grit pairwise_judge critiques=True"
    assert [row["verdict"] for row in lines("a.jsonl")] == ["first", "second"]
    assert "has no option 'kind'" in call("pairs.jsonl", "--model", "grit", "--judge", "critique:kind=1", status=2)


def test_a_panel_has_one_row_a_pair(write: Write) -> None:
    judge(write("pairs.jsonl", PAIRS[:2]), model=MODEL, judge="panel", judges=("pairwise_judge",) * 3, out="v.jsonl")
    assert [(r["swapped"], r["verdict"]) for r in lines("v.jsonl")] == [(False, "first"), (False, "second")]


def test_what_a_label_may_be(write: Write) -> None:
    def label(value: Any, other: Any = None) -> list[float | None]:
        rows = [
            {"question": "q", "model_a": "x", "model_b": "y", "response_a": "1", "response_b": "2", "winner": value}
        ]
        rows += [dict(rows[0], question="r", winner=other)] * (other is not None)
        return [item.preferred for item in read_outputs([write("l.jsonl", rows)])]

    assert label("model_a") == label("x") == label("response_a") == label("A") == label(1) == label("first") == [1.0]
    assert label("y") == label("second") == label(2) == label("0") == [0.0]
    assert label("tie (bothbad)") == label(0.5) == label(1.5) == [0.5]
    assert label(0, 2) == [0.5, 0.0], "where 2 is the second, 0 is a tie"
    assert label(None) == [None]
    assert [
        i.preferred for i in read_outputs([write("c.jsonl", [{"prompt": "p", "chosen": "a", "rejected": "b"}])])
    ] == [1]


@pytest.mark.parametrize(
    ("row", "flags", "says"),
    [
        ({"ask": "q", "output": "a"}, [], "pairs.jsonl:1: no question; name its column with --columns question=NAME"),
        ({"question": "q", "said": "a"}, [], "pairs.jsonl:1: no output; name its column with --columns output=NAME"),
        ({"question": "q", "output": "a"}, [], "score them with --judge pointwise"),
        ({"question": "", "output_1": "a", "output_2": "b"}, [], "pairs.jsonl:1: question is not a text that asks"),
        ({"question": "q", "output_1": "a", "output_2": 3}, [], "pairs.jsonl:1: output_2 is a int, not a text"),
        ({"question": "q", "output_1": "a", "output_2": "b", "label": 7}, [], "pairs.jsonl:1: label is '7'"),
        (
            {"question": "q", "output_1": "a", "output_2": "b"},
            ["--columns", "question=x"],
            "no column 'x' for question",
        ),
        ({"question": "q", "output_1": "a", "output_2": "b"}, ["--columns", "quest=x"], "no role is called so"),
        ({"question": "q", "output_1": "a", "output_2": "b"}, ["--baseline", "x"], "--baseline x: no other system"),
        ({"question": "q", "output_1": "a", "output_2": "b"}, ["--judge", "pairwise"], "did you mean pairwise_judge"),
        ({"question": "q", "output_1": "a", "output_2": "b"}, ["--out", "pairs.jsonl"], "or add --overwrite"),
    ],
)
def test_what_is_refused(write: Write, call: Call, row: dict[str, Any], flags: list[str], says: str) -> None:
    write("pairs.jsonl", [row])
    assert says in call("pairs.jsonl", "--model", "grit", *flags, status=2)


def test_files_that_cannot_be_right(write: Write, call: Call) -> None:
    assert "no such file" in call("none.jsonl", "--model", "grit", status=2).lower()
    write("a.jsonl", [{"question": "q", "output": "1"}])
    write("b.jsonl", [{"question": "r", "output": "1"}])
    assert "no question in common" in call("a.jsonl", "b.jsonl", "--model", "grit", status=2)
    Path("broken.jsonl").write_text('{"question": "q"\n')
    assert "broken.jsonl:1: not JSON" in call("broken.jsonl", "--model", "grit", status=2)
    with pytest.raises(TaskError, match=r"stands in a\.jsonl:1 already"):
        read_outputs([write("a.jsonl", [{"question": "q", "output": "1"}, {"question": "q", "output": "2"}])])
    with pytest.raises(ConfigError, match="is for judges that compare"):
        judge("b.jsonl", model=MODEL, judge="pointwise", baseline="x")
