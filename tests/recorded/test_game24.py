"""Checking 10,000 recorded answers to the game of 24 reproduces their rewards and pass@k (Yao et al., 2023)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whetstone.core.types import Example, user
from whetstone.stats.passk import pass_at_k
from whetstone.tasks.verifiers import load_verifier
from whetstone.worlds import countdown

PASS_AT_K = {1: 4.0, 5: 14.3, 10: 21.5, 50: 40.7, 100: 49.0}


@pytest.fixture(scope="module")
def puzzles(recorded: Callable[[str], Path]) -> list[str]:
    with gzip.open(recorded("game24") / "24.csv.gz", "rt") as file:
        return [f"{row['Puzzles']} -> 24" for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def samples(recorded: Callable[[str], Path], rows: Callable[[Path], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return rows(recorded("game24") / "gpt4_cot_100samples.jsonl.gz")


def test_the_solver_solves_all_1362_puzzles(puzzles: list[str]) -> None:
    assert len(puzzles) == 1362
    assert all(countdown.answer_right(puzzle, countdown.answer_of(puzzle)) for puzzle in puzzles)


def test_every_recorded_reward_is_reproduced(puzzles: list[str], samples: list[dict[str, Any]]) -> None:
    verifier = load_verifier("expression")
    checked = 0
    for row in samples:
        puzzle = puzzles[row["idx"]]
        example = Example(puzzle, user(puzzle), "24", meta={"numbers": countdown.numbers_of(puzzle)})
        for text, reward in zip(row["samples"], row["r"], strict=True):
            answer = countdown.read_answer(text)
            assert (answer is not None and countdown.answer_right(puzzle, answer)) == bool(reward)
            answer = verifier.read(example, text)
            assert (answer is not None and verifier.right(example, answer, ["24"])) == bool(reward)
            checked += 1
    assert checked == 10_000


def test_mean_success_and_pass_at_k(samples: list[dict[str, Any]]) -> None:
    right = [sum(row["r"]) for row in samples]
    assert 100 * sum(right) / 10_000 == pytest.approx(4.03)
    for k, expected in PASS_AT_K.items():
        estimate = pass_at_k(right, 100, k)
        assert estimate.value is not None
        assert 100 * estimate.value == pytest.approx(expected, abs=0.051)
