"""Runs: begin, resume, records, comparison, export, deletion, merging."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from whetstone.core.errors import ConfigError, StoreError
from whetstone.core.flow import drive, sample
from whetstone.core.types import Candidate, Finding, Generation, Outcome, Round, Signal, user
from whetstone.store import Store, open_store


def test_a_run_keeps_what_was_asked_for(store: Store) -> None:
    run = store.begin("improve", {"task": "ledger", "seeds": (1, 2), "budget": None}, 2**80)
    (listed,) = store.list()
    assert listed == run
    assert (run.command, run.seed, run.finished) == ("improve", 2**80, None)
    assert run.params == {"task": "ledger", "seeds": [1, 2], "budget": None}
    assert {"python", "platform", "numpy"} <= set(run.versions)
    assert run.finish().finished is not None
    assert store.list()[0].finished is not None


def test_versions_are_read_without_importing() -> None:
    code = (
        "import sys; from whetstone.store.runs import versions; found = versions(); "
        "print(sorted({'torch', 'numpy', 'transformers', 'scipy'} & set(sys.modules)), 'numpy' in found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


def test_records_are_read_in_the_order_added_and_replaced_in_place(store: Store) -> None:
    run = store.begin("run", {}, 0)
    for key in ("b", "a", "c"):
        run.add("step", key, {"n": 1})
    run.add("step", "b", {"n": 2})
    run.add_many("signal", [("s", 0.5), ("t", None)])
    assert list(run.read("step")) == [("b", {"n": 2}), ("a", {"n": 1}), ("c", {"n": 1})]
    assert list(run.read("signal")) == [("s", 0.5), ("t", None)]
    assert list(run.read("round")) == []
    assert store.show(run.id).counts == {"signal": 2, "step": 3}


def test_records_may_be_written_while_they_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whetstone.store.runs.PAGE", 3)
    run = store.begin("run", {}, 0)
    run.add_many("signal", ((str(i), i) for i in range(10)))
    for key, value in run.read("signal"):
        run.add("signal", key, value * 10)
    assert [value for _, value in run.read("signal")] == [i * 10 for i in range(10)]


def test_many_records_are_kept_all_or_none(store: Store) -> None:
    run = store.begin("run", {}, 0)
    with pytest.raises(TypeError, match="cannot record"):
        run.add_many("signal", [("a", 1), ("b", object())])
    assert list(run.read("signal")) == []


def test_results_are_recorded_as_they_are(store: Store) -> None:
    """Dataclasses nested in each other, NaN, and text that no encoding likes."""
    run = store.begin("run", {"note": "lone \ud800"}, 0)
    outcome = Outcome("4", Signal(0.5, "score"), (Candidate("c0", Generation("\udcff paired \ud83d\ude00")),))
    finding = Finding("gap", 0.1, (0.0, 0.2), 200, detail={"nan": float("nan")})
    run.add("outcome", "key \ud800 \ud83d\ude00", outcome)
    run.add("finding", "gap", finding)
    run.add("round", "0", Round(0, 10, 5, {"gap": finding}))
    ((key, value),) = run.read("outcome")
    assert key == "key \ud800 \ud83d\ude00"
    assert value["trail"][0]["generation"]["text"] == "\udcff paired \ud83d\ude00"
    assert value["confidence"]["abstained"] is None
    ((_, kept),) = run.read("round")
    assert kept["metrics"]["gap"]["interval"] == [0.0, 0.2]
    assert repr(kept["metrics"]["gap"]["detail"]["nan"]) == "nan"
    assert store.list()[0].params == {"note": "lone \ud800"}


def test_resume_finds_the_last_run_and_reopens_it(store: Store) -> None:
    first = store.begin("run", {"n": 1}, 1)
    last = store.begin("run", {"n": 2}, 2).finish()
    assert store.resume("last") == store.resume() == store.resume(last.id)
    assert store.resume().finished is None
    assert store.resume(first.id).params == {"n": 1}
    assert [run.id for run in store.list()] == [last.id, first.id]


def test_an_unknown_run_lists_the_known_ones(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"no run 'last' in .*; known: none yet"):
        store.resume()
    run = store.begin("run", {}, 0)
    for act in (store.resume, store.show, store.delete, lambda name: store.diff(run.id, name)):
        with pytest.raises(ConfigError, match=f"no run 'nonesuch' in .*; known: {run.id}"):
            act("nonesuch")


def test_diff_puts_two_runs_side_by_side(store: Store) -> None:
    left = store.begin("improve", {"task": "ledger", "model": "grit", "n": 4}, 1)
    right = store.begin("improve", {"task": "ledger", "model": "hf/x", "k": 2}, 2)
    left.add("finding", "accuracy", {"estimate": 0.5})
    right.add("finding", "accuracy", {"estimate": 0.7})
    right.add("finding", "gap", {"estimate": 0.1})
    diff = store.diff(left.id, right.id)
    assert diff.params == {"seed": (1, 2), "model": ("grit", "hf/x"), "n": (4, None), "k": (None, 2)}
    assert diff.versions == {}
    assert diff.findings == {
        "accuracy": ({"estimate": 0.5}, {"estimate": 0.7}),
        "gap": (None, {"estimate": 0.1}),
    }


def test_export_to_one_file_and_to_a_folder(store: Store, tmp_path: Path) -> None:
    run = store.begin("run", {"task": "t"}, 3)
    run.add_many("signal", [("a", 1), ("b", 2)])
    run.add("finding", "f", {"estimate": 0.5})
    file = store.export(run.id, tmp_path / "out" / "run.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["kind"] == "run"
    assert (lines[0]["value"]["id"], lines[0]["value"]["seed"]) == (run.id, 3)
    assert lines[1:] == [
        {"kind": "finding", "key": "f", "value": {"estimate": 0.5}},
        {"kind": "signal", "key": "a", "value": 1},
        {"kind": "signal", "key": "b", "value": 2},
    ]
    folder = store.export("last", tmp_path / "out" / "run")
    assert sorted(p.name for p in folder.iterdir()) == ["finding.jsonl", "run.json", "signal.jsonl"]
    assert json.loads((folder / "run.json").read_text())["params"] == {"task": "t"}
    with pytest.raises(StoreError, match="exists already; choose another name"):
        store.export(run.id, folder)
    with pytest.raises(StoreError, match="cannot be written"):
        store.export(run.id, file / "below-a-file.jsonl")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["run", "run.jsonl"]


def test_deleting_a_run_takes_its_records_and_leaves_the_rest(store: Store, counting) -> None:
    gone, stays = store.begin("run", {}, 0), store.begin("run", {}, 0)
    model = counting()
    drive({"a": sample(user("q"))}, {"policy": store.cached(model)})
    for run in (gone, stays):
        run.add("step", "baseline", {})
    store.delete(gone.id)
    assert [run.id for run in store.list()] == [stays.id]
    assert list(gone.read("step")) == []
    assert list(stays.read("step")) == [("baseline", {})]
    drive({"a": sample(user("q"))}, {"policy": store.cached(model)})
    assert len(model.asked) == 1


def test_merge_goes_by_content(store: Store, tmp_path: Path, counting) -> None:
    model = counting()
    with open_store(tmp_path / "shard") as other:
        run = other.begin("run", {"shard": 2}, 0)
        run.add("finding", "f", {"estimate": 0.5})
        drive({k: sample(user(k)) for k in "abc"}, {"policy": other.cached(model)})
    drive({k: sample(user(k)) for k in "cd"}, {"policy": store.cached(model)})
    merged = store.merge(tmp_path / "shard")
    assert (merged.runs, merged.records, merged.replies) == (1, 1, 2)
    assert store.show(run.id).findings == {"f": {"estimate": 0.5}}
    asked = len(model.asked)
    drive({k: sample(user(k)) for k in "abcd"}, {"policy": store.cached(model)})
    assert len(model.asked) == asked
    again = store.merge(tmp_path / "shard")
    assert (again.runs, again.records, again.replies) == (0, 0, 0)
    with pytest.raises(StoreError, match=r"no store\.db there"):
        store.merge(tmp_path / "nothing")


def test_merging_a_run_that_both_have_keeps_what_is_here(store: Store, tmp_path: Path) -> None:
    run = store.begin("run", {}, 0)
    run.add("step", "a", 1)
    with open_store(tmp_path / "copy") as copy:
        copy.merge(store.folder)
        theirs = copy.resume(run.id)
        theirs.add("step", "a", 2)
        theirs.add("step", "b", 3)
    assert store.merge(tmp_path / "copy").records == 1
    assert list(run.read("step")) == [("a", 1), ("b", 3)]
