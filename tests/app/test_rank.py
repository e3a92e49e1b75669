"""`whetstone rank` on files: what it reads, what it says, what it draws, and what it refuses in one line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.app.rank_files import kind_of, read_table
from whetstone.app.rank_gates import read_gate
from whetstone.app.verbs.rank import rank
from whetstone.core.errors import ConfigError, WhetstoneError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons, Rankings
from whetstone.ranking.reading import read_battles
from whetstone.ranking.score_table import ScoreTable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ranking.md").read_text(encoding="utf-8")
STRENGTH = {"ash": 1.0, "elm": 0.8, "fir": 0.0, "oak": -1.5}

Call = Callable[..., Any]
Write = Callable[..., Path]


@pytest.fixture
def call(run_verb: Call) -> Call:
    return partial(run_verb, verb="rank")


def battles(n: int = 400, seed: int = 0) -> list[dict[str, Any]]:
    """Made-up battles, ten on each prompt."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        left, right = (str(name) for name in rng.choice(list(STRENGTH), 2, replace=False))
        u, p = rng.random(), 1 / (1 + np.exp(STRENGTH[right] - STRENGTH[left]))
        winner = "tie" if u < 0.1 else "model_a" if rng.random() < p else "model_b"
        rows.append(
            {"model_a": left, "model_b": right, "winner": winner, "prompt_id": f"p{i // 10}", "judge": f"j{i % 3}"}
        )
    return rows


# ---------------------------------------------------------------------------------------- what it says


def test_json_is_the_ranking_of_the_method(write: Write, call: Call) -> None:
    path = write("b.csv", battles())
    found = call("b.csv", "--ties", "davidson", "--level", "0.9", "--json")
    truth = bradley_terry(read_battles(path), ties="davidson", level=0.9)
    assert found["schema"] == "whetstone.ranking/1"
    assert found["method"] == "bradley_terry"
    assert found["settings"]["ties"] == "davidson"
    assert found["settings"]["level"] == 0.9
    assert found["n"] == 400
    assert [s["name"] for s in found["systems"]] == [truth.names[i] for i in truth.order]
    assert truth.low is not None
    assert truth.high is not None
    assert truth.rank_low is not None
    assert truth.rank_high is not None
    assert truth.tier is not None
    for place, (system, i) in enumerate(zip(found["systems"], truth.order, strict=True), 1):
        assert system["rank"] == place
        assert (system["score"], system["low"], system["high"]) == (truth.scores[i], truth.low[i], truth.high[i])
        assert system["rank_interval"] == [truth.rank_low[i], truth.rank_high[i]]
        assert system["tier"] == truth.tier[i]
        assert system["won"] + system["tied"] + system["lost"] == system["n"]
    assert sum(system["n"] for system in found["systems"]) == 800


def test_formats_agree(write: Write, call: Call) -> None:
    rows = battles(120)
    found = [call(str(write(name, rows)), "--json")["systems"] for name in ("b.csv", "b.jsonl", "b.parquet")]
    assert found[0] == found[1] == found[2]


def test_dropped_rows_are_counted_and_named_once(write: Write, call: Call) -> None:
    rows = battles(60)
    for i in (3, 5):
        rows[i]["winner"] = ""
    write("b.csv", rows)
    assert call("b.csv", "--json")["dropped"] == {"no value in winner": 2}
    text = call("b.csv")
    assert text.count("no value in winner") == 1
    assert "Not used: 2 rows, no value in winner." in text


def test_who_never_won_and_what_is_not_connected_is_named(write: Write, call: Call) -> None:
    pairs = [("a", "b"), ("b", "a"), ("a", "c"), ("b", "c"), ("x", "y"), ("y", "x")]
    write("b.csv", [{"model_a": a, "model_b": b, "winner": "model_a"} for a, b in pairs])
    text = call("b.csv")
    assert "Never won (nor tied): c." in text
    assert "No comparison connects: a, b, c | x, y." in text
    assert "rest on a prior" in text


def test_battles_on_one_prompt_depend_on_each_other(write: Write) -> None:
    """Every battle ten times in a cluster of its own says no more than once."""
    once = battles(200)
    for i, row in enumerate(once):
        row["prompt_id"] = f"p{i}"
    path = write("ten.csv", [row for row in once for _ in range(10)])
    single, clustered, blind = (
        rank(write("once.csv", once), covariance="sandwich")[0],
        rank(path)[0],
        rank(path, covariance="sandwich")[0],
    )
    widths = [[(s.high or 0) - (s.low or 0) for s in board.systems] for board in (single, clustered, blind)]
    np.testing.assert_allclose(widths[1], widths[0], rtol=0.02)
    assert max(widths[2]) < 0.4 * min(widths[0])


def test_one_strength_does_not_explain_a_cycle(write: Write, call: Call) -> None:
    circle = [("a", "b"), ("b", "c"), ("c", "a")]
    rows = [
        {"model_a": a, "model_b": b, "winner": "model_a" if i % 10 else "model_b"} for i in range(60) for a, b in circle
    ]
    write("b.csv", rows)
    found = call("b.csv", "--rules", "--json")
    assert {s["tier"] for s in found["systems"]} == {1}
    assert any("does not explain who beat whom" in note for note in found["notes"])
    assert sorted(found["rules"]["cycles"][0]["path"]) == ["a", "b", "c"]
    assert not call(str(write("fine.csv", battles())), "--json")["notes"]


def test_scale_and_anchor_move_scores_but_no_rank(write: Write, call: Call) -> None:
    write("b.csv", battles())
    plain, elo = call("b.csv", "--json"), call("b.csv", "--scale", "elo", "--anchor", "oak=800", "--json")
    factor = 400 / np.log(10)
    for one, other in zip(plain["systems"], elo["systems"], strict=True):
        assert other["name"] == one["name"]
        assert other["rank_interval"] == one["rank_interval"]
        np.testing.assert_allclose(other["high"] - other["low"], factor * (one["high"] - one["low"]))
    assert elo["systems"][-1]["name"] == "oak"
    np.testing.assert_allclose(elo["systems"][-1]["score"], 800)
    assert call("b.csv", "--anchor", "oak", "--json")["systems"][-1]["score"] == pytest.approx(0)


def test_neighbours_of_a_tier_need_so_many_battles(write: Write, call: Call) -> None:
    write("b.csv", battles(80))
    needed = call("b.csv", "--json")["needed"]
    assert {"ash", "elm"} in [{one["first"], one["second"]} for one in needed]
    assert all(one["battles"] is None or one["battles"] > 0 for one in needed)


def test_same_seed_same_bytes(write: Write, call: Call) -> None:
    write("b.csv", battles())
    argv = ["b.csv", "--bootstrap", "50", "--cluster", "judge", "--json"]
    assert call(*argv) == call(*argv)
    assert call(*argv) != call(*argv, "--seed", "1")


@pytest.mark.parametrize(
    "method",
    [
        *("elo", "average_win_rate", "counting", "newman", "pagerank", "eigen", "bayesian_skill"),
        *("contextual_bradley_terry", "crowd_bradley_terry", "social_choice", "game_rating"),
    ],
)
def test_other_methods_find_the_best_and_the_last(write: Write, call: Call, method: str) -> None:
    write("b.csv", battles(600))
    found = call("b.csv", "--method", method, "--json")
    names = [s["name"] for s in found["systems"]]
    assert found["method"] == method
    assert set(names[:2]) == {"ash", "elm"}
    assert names[-1] == "oak"
    assert "by this method" in call("b.csv", "--method", method) or found["systems"][0]["low"] is not None


# ------------------------------------------------------------------------------------------- rankings


def test_rankings_are_read_in_three_forms(write: Write) -> None:
    written = write("a.jsonl", [{"ranking": "a > b = c"}, {"ranking": ["c", "a"]}, {"ranking": [["a", "b"], "c"]}])
    data = read_table(written).data
    assert isinstance(data, Rankings)
    assert data.order.tolist() == [[0, 1, 2], [2, 0, -1], [0, 1, 2]]
    assert data.tied is not None
    assert data.tied.tolist() == [[False, False, True], [False, False, False], [False, True, False]]
    places = read_table(
        write("b.csv", [{"rank_1": "a", "rank_2": "b", "rank_3": ""}, {"rank_1": "c", "rank_2": "b", "rank_3": "a"}])
    )
    assert isinstance(places.data, Rankings)
    assert places.data.order.tolist() == [[0, 1, -1], [2, 1, 0]]
    long = [("1", "b", 2), ("1", "a", 1), ("2", "c", 1), ("2", "a", 3), ("2", "b", 3), ("3", "a", 1)]
    rows = read_table(write("c.csv", [{"ballot": i, "model": m, "rank": r} for i, m, r in long]))
    assert isinstance(rows.data, Rankings)
    assert rows.data.order.tolist() == [[0, 1, -1], [2, 1, 0]] or rows.data.order.tolist() == [[0, 1, -1], [2, 0, 1]]
    assert rows.dropped == {"rankings of fewer than two systems": 1}


def test_rankings_of_two_are_battles(write: Write, call: Call) -> None:
    rows = [row for row in battles(300) if row["winner"] != "tie"]
    ordered = [(r["model_a"], r["model_b"]) if r["winner"] == "model_a" else (r["model_b"], r["model_a"]) for r in rows]
    write("b.csv", rows)
    write("r.csv", [{"rank_1": first, "rank_2": second} for first, second in ordered])
    one, other = call("b.csv", "--json"), call("r.csv", "--json")
    assert other["kind"] == "rankings"
    assert other["method"] == "plackett_luce"
    for a, b in zip(one["systems"], other["systems"], strict=True):
        assert a["name"] == b["name"]
        assert a["score"] == pytest.approx(b["score"], abs=1e-6)


# --------------------------------------------------------------------------------------------- scores


def test_scores_are_ranked_by_rules_and_disputes_are_named(call: Call) -> None:
    path = str(ROOT / "docs/examples/scores.csv")
    found = call(path, "--tasks", "maths,code,law", "--json")
    assert found["kind"] == "scores"
    assert found["rules"]["cycles"][0]["path"] == ["ash", "beech", "cedar"]
    assert {d["cause"] for d in found["rules"]["disputes"]} == {"cycle", "distance"}
    mean = next(rule for rule in found["rules"]["rules"] if rule["name"] == "mean")
    assert mean["winners"] == ["beech"]
    assert mean["ranks"]["oak"] == 6
    assert found["notes"][0] == "columns not used: chat, seconds"


def test_less_can_be_better(call: Call) -> None:
    path = str(ROOT / "docs/examples/scores.csv")
    argv = [path, "--tasks", "seconds", "--rule", "mean", "--json"]
    up, down = call(*argv), call(*argv, "--lower", "seconds")
    assert [s["name"] for s in up["systems"]] == [s["name"] for s in reversed(down["systems"])]


def test_a_row_for_each_score_is_the_same_table(write: Write) -> None:
    wide = [{"model": "a", "t1": 1, "t2": 5}, {"model": "b", "t1": 2, "t2": "-"}, {"model": "c", "t1": 0, "t2": 3}]
    long = [{"model": r["model"], "task": t, "score": r[t]} for r in wide for t in ("t1", "t2") if r[t] != "-"]
    one, other = (read_table(write(name, rows)).data for name, rows in (("w.csv", wide), ("l.csv", long)))
    assert isinstance(one, ScoreTable)
    assert isinstance(other, ScoreTable)
    assert one.names == other.names == ("a", "b", "c")
    assert one.tasks == other.tasks == ("t1", "t2")
    np.testing.assert_array_equal(one.scores, other.scores)
    assert one.missing == 1


# ---------------------------------------------------------------------------------------------- gates


def test_gates_decide_the_exit_status(write: Write, call: Call) -> None:
    write("b.csv", battles())
    assert call("b.csv", "--gate", "ash > oak", "--json")["gates"][0]["holds"]
    for text in ("oak > ash", "oak >= ash"):
        assert not call("b.csv", "--gate", text, "--json", status=3)["gates"][0]["holds"]
    assert call("b.csv", "--gate", "ash >= elm", "--gate", "elm>=ash", "--json")["gates"][1]["holds"]
    assert "Gate elm > ash does not hold" in call("b.csv", "--gate", "elm > ash", "--gate", "ash > oak", status=3)


def test_a_gate_tests_at_its_level() -> None:
    """Of equal systems, `a > b` holds in at most 2.5 % of the files and `a >= b` fails as rarely."""
    rng, better, worse = np.random.default_rng(0), 0, 0
    names, k = ("a", "b", "c"), 3
    from whetstone.app.rank_gates import tested
    from whetstone.ranking.comparisons import count

    for _ in range(300):
        left = rng.integers(k, size=90)
        right = (left + rng.integers(1, k, size=90)) % k
        found = Comparisons(names, left, right, rng.choice([-1, 1], size=90))
        up, down = tested(bradley_terry(found, draws=20), count(found), ["a > b", "a >= b"], instead="")
        better, worse = better + up.holds, worse + (not down.holds)
    assert better <= 15
    assert worse <= 15


def test_nothing_that_is_not_connected_passes(write: Write, call: Call) -> None:
    pairs = [("a", "b"), ("b", "a"), ("a", "b"), ("x", "y"), ("y", "x")]
    write("b.csv", [{"model_a": a, "model_b": b, "winner": "model_a"} for a, b in pairs])
    assert "nothing connects the two" in call("b.csv", "--gate", "a > x", status=3)


def test_names_may_hold_the_sign_of_a_gate() -> None:
    assert read_gate("a>b > c", ("a>b", "c")) == ("a>b", "c", "better")
    assert read_gate("a>=b", ("a", "b")) == ("a", "b", "no-regression")
    for text in ("a > d", "a", "a > a"):
        with pytest.raises(ConfigError):
            read_gate(text, ("a", "b"))


# ------------------------------------------------------------------------------------------- mistakes

GOOD = "model_a,model_b,winner\na,b,model_a\nb,a,model_a\n"


@pytest.mark.parametrize(
    ("text", "argv", "said"),
    [
        (GOOD + "a,b,model_q\n", [], "row 3, column winner: 'model_q' is no winner"),
        (GOOD + "a,a,tie\n", [], "row 3, column model_b: 'a' is compared with itself"),
        (GOOD + "a,b,left\n", [], "row 3, column winner: 'left' (left/right) where row 1 follows model_a/model_b"),
        (GOOD + "a,,tie\n", [], "row 3, column model_b: no system is named"),
        ("model_a,model_b\na,b\n", [], "no column says who won"),
        ("model_a,winner\na,model_a\n", [], "the columns do not say what it holds"),
        ("model_a,model_b,winner\n", [], "has a header but no rows"),
        ("", [], "the file is empty"),
        (GOOD, ["--columns", "winner=won"], "no column is called 'won'"),
        (GOOD, ["--columns", "winnr=won"], "no role is called 'winnr'"),
        (GOOD, ["--method", "elos"], "did you mean elo"),
        (GOOD, ["--method", "plackett_luce"], "plackett_luce needs rankings, and the file holds battles"),
        (GOOD, ["--method", "multiwinner"], "multiwinner does not rank a file"),
        (GOOD, ["--method", "elo", "--gate", "a > b"], "--gate has nothing to test with; use --method bradley_terry"),
        (GOOD, ["--method", "elo", "--scale", "elo"], "not log-odds"),
        (GOOD, ["--method", "elo", "--bootstrap", "9"], "does not know '--bootstrap'"),
        (GOOD, ["--gate", "a > z"], "no system is called 'z'"),
        (GOOD, ["--anchor", "z"], "no system is called 'z'"),
        (GOOD, ["--anchor", "a=x"], "'x' is not a number"),
        (GOOD, ["--level", "2"], "must be between 0 and 1"),
        (GOOD, ["--tasks", "x"], "tasks are columns of scores"),
        (GOOD, ["--top", "-1"], "not a whole number from 0 up"),
        (GOOD, ["--picture", "/proc/none/x.html"], "cannot write the picture"),
        ("model,t1,t2\na,1,2\nb,x,3\n", [], "row 2, column t1: 'x' is not a finite number"),
        ("model,t1,t2\na,1,2\na,2,3\n", [], "row 2, column model: 'a' stands in row 1 already"),
        ("model,t1,t2\na,1,2\n", [], "a ranking needs two systems"),
        ("model,t1,t2\na,1,2\nb,2,1\n", ["--tasks", "t3"], "no task is called 't3'"),
        ("ranking\na > b\na > b > a\n", [], "row 2, column ranking: 'a' stands there twice"),
        ("ranking\na > b\na > > b\n", [], "row 2, column ranking: a name is missing"),
        ("rank_1,rank_2,rank_3\na,,b\n", [], "row 1, column rank_2: no name, but there is one in a later place"),
        ("ballot,model,rank\n1,a,1\n1,b,x\n", [], "row 2, column rank: 'x' is not a finite number"),
        ("ballot,model,rank\n1,a,1\n1,a,2\n", [], "row 2, column model: 'a' stands twice in ranking '1'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, text: str, argv: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.csv").write_text(text)
    complaint = call("f.csv", *argv, status=2)
    assert said in complaint
    if not argv:
        assert "f.csv" in complaint


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.chdir(tmp_path)
    assert "none.csv: no such file" in call("none.csv", "--bootstrap", "10", status=2)
    assert "not a .csv" in call("none.xlsx", status=2)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["model_a", "model_b", "winner"], "battles"),
        (["a", "b", "score_a", "score_b"], "battles"),
        (["left", "right", "outcome", "task"], "battles"),
        (["Model", "Rank", "maths", "code"], "scores"),
        (["system", "item", "score"], "scores"),
        (["model", "rank", "group"], "rankings"),
        (["id", "ranking"], "rankings"),
        (["rank_1", "rank_2"], "rankings"),
    ],
)
def test_columns_say_what_a_file_holds(tmp_path: Path, names: list[str], kind: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(",".join(names) + "\n")
    assert kind_of(path) == kind


def test_python_raises_the_same_errors(tmp_path: Path) -> None:
    with pytest.raises(WhetstoneError, match="no such file"):
        rank(tmp_path / "none.csv")


# -------------------------------------------------------------------------------------------- pictures


def test_the_page_is_one_file_with_every_system(write: Write, call: Call) -> None:
    rows = battles(300)
    for row in rows:
        for side in ("model_a", "model_b"):
            row[side] = row[side].replace("oak", "</script><script>x")
    write("b.csv", rows)
    text = call("b.csv", "--gate", "ash > fir", "--picture", "out/rank.html")
    assert "Picture: out/rank.html" in text
    page = Path("out/rank.html").read_text()
    assert page.count("<script>") == 1
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org", "", page)
    for word in ("Scores with intervals, ranks and tiers", "Row against column", "Gate passed", "n = "):
        assert word in page
    assert page.count("<tr>") == 1 + len(STRENGTH)


def test_top_cuts_the_drawing_and_says_so(write: Write, call: Call) -> None:
    write("b.csv", battles())
    assert "2 more systems: --top 0" in call("b.csv", "--top", "2", "--picture", "r.html")
    page = Path("r.html").read_text()
    assert page.count("The 2 best of 4.") == 2
    assert page.count("<tr>") == 1 + len(STRENGTH)


def test_scores_draw_ranks_by_rule(tmp_path: Path, call: Call) -> None:
    call(str(ROOT / "docs/examples/scores.csv"), "--picture", str(tmp_path / "s.html"))
    page = (tmp_path / "s.html").read_text()
    for word in ("Rank by rule of social choice", "How far the rules agree", "Where the rules differ"):
        assert word in page


# ------------------------------------------------------------------------------------------------ docs


@pytest.mark.parametrize("block", re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL), ids=lambda b: b.split("\n")[0])
def test_the_docs_show_what_is_printed(block: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = block.rstrip().split("\n")
    if len(lines) < 2 or lines[1].startswith("$"):
        return
    monkeypatch.chdir(ROOT)
    status = 3 if "does not hold" in block else 0
    printed = [line.rstrip() for line in call(*shlex.split(lines[0])[3:], status=status).strip("\n").split("\n")]
    shown = "\n".join(lines[1:]).replace("[", "[[]").replace("...", "*")
    assert fnmatch("\n".join(printed).strip(), shown.strip())


def test_the_python_of_the_docs_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, {})
    assert capsys.readouterr().out.startswith("ash")


def test_a_million_rows_as_the_docs_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of the picture; processor time, with room for a busy machine (0.4 s measured)."""
    import subprocess
    import sys
    import time

    made = re.search(r"\$ python (benchmarks/ranking.py .*)\n\$ whetstone rank (.*)\n", PAGE)
    assert made
    monkeypatch.chdir(tmp_path)
    script, *argv = made[1].split()
    subprocess.run([sys.executable, str(ROOT / script), *argv], check=True)
    call("battles.parquet", "--json")
    began = time.process_time()
    assert "1,000,000 battles" in call(*made[2].split())
    assert time.process_time() - began < 2
    assert Path("ranking.html").stat().st_size < 2e6
