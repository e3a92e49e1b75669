"""Strings: every operation does what its English says, and wrong or missing steps are named."""

from __future__ import annotations

import random

import pytest

from whetstone.worlds import strings

QUESTION = "stone: reverse, swap 2 5, rotate 2, upper 3, double 1, drop 4"


def test_each_operation_worked_by_hand() -> None:
    assert strings.trace(QUESTION) == ["enots", "esotn", "otnes", "otNes", "ootNes", "ootes"]
    assert strings.in_english("swap 2 5") == "swap letters 2 and 5"


@pytest.mark.parametrize("level", strings.LEVELS)
def test_right_solutions_are_right(level: int) -> None:
    rng = random.Random(level)
    for _ in range(30):
        question = strings.generate(rng, level)
        solution = strings.solve(question)
        assert len(strings.operations_of(question)) == level
        assert strings.read_answer(solution) == strings.answer_of(question)
        assert strings.process_right(question, solution)
        assert strings.complete(question, solution)
        assert all(strings.SHORTEST <= len(text) <= strings.LONGEST for text in strings.trace(question))


def test_wrong_and_missing_steps_are_named() -> None:
    lines = strings.solve(QUESTION).splitlines()
    assert strings.first_error(QUESTION, "\n".join([*lines[:2], "3: otens", *lines[3:]])) == "3"
    assert strings.first_error(QUESTION, "\n".join(lines[:4])) == "5"
    assert strings.first_error(QUESTION, "\n".join([*lines[:6], "7: ootes"])) == "7"
    assert not strings.complete(QUESTION, "\n".join(lines[1:]))
    assert strings.process_right(QUESTION, "The answer is ootes") is None


def test_capital_letters_count() -> None:
    question = "stone: upper 1"
    assert strings.answer_right(question, "Stone")
    assert not strings.answer_right(question, "stone")
    assert strings.read_answer('So the answer is "Stone".') == "Stone"
    assert strings.read_answer("no idea at all") is None
