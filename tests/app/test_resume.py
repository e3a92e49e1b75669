"""A run of improve that is killed anywhere goes on to the result that it would have had.

The child process is forked, so that what it imports is there already; it is killed with SIGKILL.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from toy import ToyModel, ToyTask

from whetstone.app.improve import improve
from whetstone.app.plan import Plan
from whetstone.core.errors import ConfigError, StoreError
from whetstone.store.store import open_store

PLAN = Plan(test=60, dev=24, pool=40, k=4, rounds=2, judged=16)
POLL = 64


# The first optimizer imports a large part of torch: once here, not in every child.
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def run(folder: Path, resume: str | None = None) -> None:
    improve(ToyTask(), ToyModel(), plan=PLAN, store=folder, out=folder / "out", resume=resume)


def child(folder: Path, resume: str | None) -> None:
    torch.set_num_threads(1)
    os.environ["TOY_LOG"] = str(folder / "asked.log")
    run(folder, resume)


def start(folder: Path, resume: str | None = None) -> multiprocessing.Process:
    folder.mkdir(exist_ok=True)
    process = multiprocessing.get_context("fork").Process(target=child, args=(folder, resume))
    process.start()
    return process


def timeless(value: Any) -> Any:
    """A result without what belongs to one execution: times, memory, ids, places."""
    if isinstance(value, dict):
        skip = {"seconds", "peak_memory", "replayed", "run", "saved", "detail"}
        return {key: timeless(item) for key, item in value.items() if key not in skip}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def result(folder: Path) -> Any:
    return timeless(json.loads((folder / "out" / "result.json").read_text()))


def weights(folder: Path) -> str:
    return (folder / "out" / "model" / "skill.json").read_text()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    folder = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    process = start(folder)
    process.join(120)
    assert process.exitcode == 0
    return folder, time.monotonic() - began


def killed_and_resumed(folder: Path, moments: list[float]) -> None:
    """Run, kill at each moment (seconds after each start), and let the last start finish."""
    resume = None
    for moment in moments:
        process = start(folder, resume)
        process.join(moment)
        if process.exitcode is not None:
            assert process.exitcode == 0
            return
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with open_store(folder) as store:
            known = store.list()
        resume = known[0].id if known else None
    process = start(folder, resume)
    process.join(120)
    assert process.exitcode == 0


def check(folder: Path, undisturbed: Path, kills: int) -> None:
    assert result(folder) == result(undisturbed)
    assert weights(folder) == weights(undisturbed)
    asked = Counter((folder / "asked.log").read_text().split("\n")[:-1])
    twice = sum(n - 1 for n in asked.values())
    # Only what was in the model's hands at the moment of the kill was never heard, and so is asked again.
    assert twice <= POLL * kills, f"{twice} replies asked twice"
    assert set(asked) == set((undisturbed / "asked.log").read_text().split("\n")[:-1])
    assert not list(folder.rglob("*.half-written"))


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_killed_once(tmp_path: Path, undisturbed: tuple[Path, float], share: float) -> None:
    killed_and_resumed(tmp_path / "run", [share * undisturbed[1]])
    check(tmp_path / "run", undisturbed[0], 1)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(20))
def test_killed_at_twenty_points(tmp_path: Path, undisturbed: tuple[Path, float], point: int) -> None:
    moment = (point + Random(point).random()) / 20 * undisturbed[1]
    killed_and_resumed(tmp_path / "run", [moment])
    check(tmp_path / "run", undisturbed[0], 1)


@pytest.mark.slow
def test_killed_again_and_again(tmp_path: Path, undisturbed: tuple[Path, float]) -> None:
    moments = [0.25 * undisturbed[1]] * 6
    killed_and_resumed(tmp_path / "run", moments)
    check(tmp_path / "run", undisturbed[0], len(moments))


def test_a_finished_run_is_read_back_without_asking(undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    folder = undisturbed[0]
    before = result(folder)
    with open_store(folder) as store:
        run_id = store.list()[0].id
    log = (folder / "asked.log").read_text()
    process = start(folder, run_id)
    process.join(60)
    assert process.exitcode == 0
    assert result(folder) == before
    assert (folder / "asked.log").read_text() == log


def test_a_run_of_another_model_is_refused(undisturbed: tuple[Path, float]) -> None:
    model = ToyModel()
    with torch.no_grad():
        model.skill += 0.1
    model.changed()
    with open_store(undisturbed[0]) as store:
        run_id = store.list()[0].id
    with pytest.raises(ConfigError, match="fingerprint"):
        improve(ToyTask(), model, plan=PLAN, store=undisturbed[0], resume=run_id)


def test_ctrl_c_keeps_everything_and_names_the_command(tmp_path: Path) -> None:
    class Interrupted(ToyModel):
        asked = 0

        def answer(self, request: Any) -> Any:
            type(self).asked += 1
            if self.asked == 700:
                raise KeyboardInterrupt
            return super().answer(request)

    with pytest.raises(KeyboardInterrupt) as stop:
        improve(ToyTask(), Interrupted(), plan=PLAN, store=tmp_path)
    with open_store(tmp_path) as store:
        run_id = store.list()[0].id
    assert f"whetstone runs resume {run_id} --store {tmp_path}" in str(stop.value)
    again = improve(ToyTask(), Interrupted(), plan=PLAN, store=tmp_path, resume=run_id)
    assert again.complete
    assert again.cost is not None
    assert again.cost.replayed > 600


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        improve(ToyTask(), ToyModel(), plan=PLAN, store=tmp_path / "file")
    with pytest.raises(StoreError, match="file"):
        improve(ToyTask(), ToyModel(), plan=PLAN, store=tmp_path / "runs", out=tmp_path / "file" / "out")


def test_a_full_disk_keeps_what_there_is(tmp_path: Path, undisturbed: tuple[Path, float], monkeypatch: Any) -> None:
    def small(folder: Path) -> Any:
        store = open_store(folder)
        store._database.execute("PRAGMA max_page_count = 120")
        return store

    monkeypatch.setattr("whetstone.app.workbench.open_store", small)
    with pytest.raises(StoreError, match="disk is full"):
        run(tmp_path)
    monkeypatch.undo()
    with open_store(tmp_path) as store:
        run_id = store.list()[0].id
    run(tmp_path, run_id)
    assert result(tmp_path) == result(undisturbed[0])
