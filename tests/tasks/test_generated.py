"""Generated tasks: splits never overlap, grading follows the world, prompts show no answer."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Form
from whetstone.tasks.load import TASKS, load_task
from whetstone.worlds import countdown, ledger, logic, strings

SOLVERS = {"ledger": None, "countdown": countdown, "game24": countdown, "strings": strings, "logic": logic}


def right_solution(name: str, question: str) -> str:
    world = SOLVERS[name]
    return "".join(ledger.work(question[:2], ledger.entries(question))) if world is None else world.solve(question)


@pytest.mark.parametrize("name", TASKS)
def test_splits_never_share_a_question(name: str) -> None:
    task = load_task(name)
    drawn = {
        split: {str(e.meta["question"]) for seed in (0, 1) for e in task.examples(split, n=40, seed=seed)}
        for split in ("train", "dev", "test")
    }
    assert not drawn["train"] & drawn["dev"]
    assert not drawn["train"] & drawn["test"]
    assert not drawn["dev"] & drawn["test"]


@pytest.mark.parametrize("name", TASKS)
def test_right_solutions_are_graded_right(name: str) -> None:
    task = load_task(name)
    for example in task.examples("train", n=30):
        text = right_solution(name, str(example.meta["question"]))
        assert task.verify(example, text).value == 1
        assert task.process(example, text).value == 1
        assert task.complete(example, text)
        assert example.target is not None
        assert task.verify(example, f"The answer is {example.target}.").value == 1
        assert task.verify(example, example.target).value == 1


@pytest.mark.parametrize("name", TASKS)
def test_examples_are_the_same_for_the_same_seed_and_never_repeat(name: str) -> None:
    task = load_task(name)
    ids = [example.id for example in task.examples("dev", n=30, seed=3)]
    assert ids == [example.id for example in islice(task.examples("dev", seed=3), 30)]
    assert len(set(ids)) == 30
    assert ids != [example.id for example in task.examples("dev", n=30, seed=4)]


def test_levels_take_turns() -> None:
    levels = [example.level for example in load_task("ledger:levels=5-7").examples("test", n=7)]
    assert levels == ["5", "6", "7", "5", "6", "7", "5"]


def test_a_ledger_prompt_has_english_and_notation() -> None:
    example = next(iter(load_task("ledger:levels=3").examples("test")))
    part = example.prompt[0].parts[0]
    assert isinstance(part, Form)
    assert part.name == "solve"
    asked = part["question"]
    assert isinstance(asked, Form)
    assert asked["ledger"] == example.meta["question"]
    assert "The answer is X" in example.prompt[0].text
    assert "{" not in example.prompt[0].text
    assert example.question is asked


def test_unreadable_is_wrong_and_says_so() -> None:
    task = load_task("ledger")
    example = next(iter(task.examples("test")))
    verdict = task.verify(example, "I do not know")
    assert task.read(example, "I do not know") is None
    assert verdict.value == 0
    assert "unreadable" in verdict.provenance


def test_a_hasty_answer_shows_no_steps() -> None:
    task = load_task("ledger")
    example = next(iter(task.examples("test")))
    assert task.verify(example, str(example.target)).value == 1
    assert task.process(example, str(example.target)).abstained == "no steps are shown"
    assert task.complete(example, str(example.target)) is False


def test_reading_never_looks_at_the_target() -> None:
    for name in TASKS:
        task = load_task(name)
        example = next(iter(task.examples("test")))
        text = right_solution(name, str(example.meta["question"]))
        assert task.read(replace(example, target=None), text) == task.read(example, text)


def test_a_split_that_runs_out_says_so() -> None:
    with pytest.raises(TaskError, match=r"no more than these [0-9]+ 'test' questions at level 4"):
        list(load_task("game24:max_tokens=64").examples("test", n=500))


def test_an_unknown_split_lists_what_exists() -> None:
    with pytest.raises(ConfigError, match="train, dev, test"):
        next(iter(load_task("ledger").examples("validation")))


HOSTILE = [
    "",
    "\x00" * 1000,
    "(" * 200_000,
    "9" * 1_000_000,
    "The answer is " * 50_000,
    "The answer is " + "(" * 10_000,
    "answer: 9^9^9^9^9",
    "= " * 100_000,
    "1: a\n" * 100_000,
    "c-7=56" * 100_000,
    "١٢ = ٣",
    "\ud800",
    "1 + 1 = 2\n" * 100_000,
    " " * 300_000 + "x",
    "= (" + "not " * 100_000,
    "a-1=11 " * 100_000,
]


@pytest.mark.parametrize("name", TASKS)
def test_no_text_crashes_or_hangs_a_verifier(name: str) -> None:
    task = load_task(name)
    example = next(iter(task.examples("test")))
    for text in HOSTILE:
        began = time.perf_counter()
        assert task.verify(example, text).value == 0
        task.process(example, text)
        assert not task.complete(example, text)
        assert time.perf_counter() - began < 1
