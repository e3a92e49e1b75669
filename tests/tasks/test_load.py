"""Tasks by the text that a user gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.tasks.load import TASKS, load_task, parse_levels


@pytest.mark.parametrize("name", TASKS)
def test_every_task_loads_by_name(name: str) -> None:
    task = load_task(name)
    assert task.name.partition(":")[0] == name
    assert load_task(task.name).name == task.name
    assert len(list(task.examples("dev", n=3))) == 3


def test_options_are_read_by_type() -> None:
    task = load_task("ledger:levels=5-8,temperature=0.5,max_tokens=99")
    assert task.name == "ledger:levels=5-8,temperature=0.5,max_tokens=99"
    assert (task.sampling.temperature, task.sampling.max_tokens) == (0.5, 99)


def test_a_file_with_options_even_in_a_folder_with_a_colon(tmp_path: Path) -> None:
    folder = tmp_path / "a:b=c"
    folder.mkdir()
    path = folder / "x.jsonl"
    path.write_text('{"input": "q", "target": "100", "split": "test"}')
    task = load_task(f"{path}:verifier=numeric,tolerance=0.1")
    example = next(task.examples("test"))
    assert task.verify(example, "The answer is 105").value == 1
    assert load_task(str(path)).verify(example, "The answer is 105").value == 0


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("chess", ConfigError, "there are ledger, countdown, game24, strings, logic"),
        ("ledger:level=3", ConfigError, "it has levels, temperature, max_tokens"),
        ("ledger:levels=0-3", ConfigError, "levels from 1 to 16"),
        ("ledger:levels=8-3", ConfigError, "levels from 1 to 16"),
        ("ledger:levels=x", ConfigError, "levels from 1 to 16"),
        ("ledger:temperature=hot", ConfigError, "temperature=hot: not a number"),
        ("nowhere.jsonl", TaskError, "nowhere.jsonl: no such file"),
        (__file__, ConfigError, "a data file must end in"),
        ("", ConfigError, "no task is called ''"),
    ],
)
def test_mistakes_get_one_line_that_says_what_there_is(spec: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        load_task(spec)
    assert "\n" not in str(caught.value)


def test_levels() -> None:
    assert parse_levels("3+5-7", range(1, 10)) == (3, 5, 6, 7)
