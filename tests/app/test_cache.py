"""`whetstone cache`: what is stored, how often it saved a call, and processes that share it."""

from __future__ import annotations

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask

from whetstone.app import cli
from whetstone.app.verbs.cache import look
from whetstone.app.verbs.solve import solve
from whetstone.store.store import open_store

N, K = 60, 16


def whetstone(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> Any:
    assert cli.main(argv) == status
    out, err = capsys.readouterr()
    if status:
        return err
    return json.loads(out) if "--json" in argv else out


def test_shows_size_hit_rate_and_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for strategy in ("greedy", "greedy", "self_consistency"):
        solve(ToyTask(), strategy, model=ToyModel(), n=N, store=tmp_path)
    found = whetstone(capsys, "cache", "--store", str(tmp_path), "--json")
    (toy,) = found["models"]
    assert toy["model"] == "toy"
    assert toy["asked"] == toy["replies"] == N + K * N
    assert toy["stored"] == N
    assert toy["hit_rate"] == pytest.approx(1 / (K + 2))
    assert (toy["prompt"], toy["completion"]) == (8 * toy["asked"], toy["asked"])
    assert found["bytes"] > toy["bytes"] > 0
    assert "5.6%" in whetstone(capsys, "cache", "--store", str(tmp_path))


def test_export_and_import_save_the_calls_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there, file = str(tmp_path / "here"), str(tmp_path / "there"), str(tmp_path / "replies.jsonl.gz")
    first = solve(ToyTask(), model=ToyModel(), n=N, store=here)
    argv = ["cache", "export", file, "--model", "toy", "--store", here, "--json"]
    assert whetstone(capsys, *argv) == {"exported": file, "replies": N}
    assert whetstone(capsys, "cache", "import", file, "--store", there, "--json") == {"new": N, "known": 0}
    again = solve(ToyTask(), model=ToyModel(), n=N, store=there)
    assert again.answers == first.answers
    with open_store(Path(there)) as store:
        total = look(store).total
    assert (total.asked, total.stored, total.hit_rate) == (0, N, 1.0)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show"], "no replies are stored there"),
        (["export"], "takes 1 file"),
        (["import", "none.jsonl"], "cannot be read"),
        (["show", "x"], "takes no file"),
        (["import", "x", "--model", "toy"], "--model belongs to"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    err = whetstone(capsys, "cache", *argv, "--store", str(tmp_path / "runs"), status=2)
    assert said in err
    assert err.count("\n") == 1


def test_an_unknown_model_is_told_which_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(ToyTask(), model=ToyModel(), n=2, store=tmp_path)
    argv = ["cache", "export", str(tmp_path / "x"), "--model", "tot", "--store", str(tmp_path)]
    assert "there are: toy" in whetstone(capsys, *argv, status=2)


def child(folder: Path, strategy: str) -> None:
    solve(ToyTask(), strategy, model=ToyModel(), n=N, store=folder)


def test_processes_that_share_a_store_agree_on_what_it_holds(tmp_path: Path) -> None:
    """Three at once, two of them with the same requests: nothing is lost, no reply is kept twice."""
    context = multiprocessing.get_context("fork")
    strategies = ("self_consistency", "self_consistency", "greedy")
    processes = [context.Process(target=child, args=(tmp_path, strategy)) for strategy in strategies]
    for process in processes:
        process.start()
    with open_store(tmp_path) as store:
        n = 0
        while any(process.is_alive() for process in processes):
            assert store.export_replies(tmp_path / f"{n}.jsonl") >= 0
            n += 1
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0, 0, 0]
        total = look(store).total
        assert total.replies == N + K * N
        assert total.asked + total.stored == N + 2 * K * N
        # What two processes asked at the same moment was asked twice; it is stored once.
        assert total.replies <= total.asked
        assert {run.finished is not None for run in store.list()} == {True}
        with open_store(tmp_path / "alone") as alone:
            alone.import_replies(tmp_path / f"{n - 1}.jsonl")
    third = solve(ToyTask(), "self_consistency", model=ToyModel(), n=N, store=tmp_path)
    undisturbed = solve(ToyTask(), "self_consistency", model=ToyModel(), n=N, store=tmp_path / "fresh")
    assert third.answers == undisturbed.answers
