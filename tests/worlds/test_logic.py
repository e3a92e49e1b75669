"""Logic: expressions evaluate as Python's own operators do, and a step must follow from the one before."""

from __future__ import annotations

import random
import time

import pytest

from whetstone.worlds import logic

QUESTION = "((not True) or (True xor False))"


@pytest.mark.parametrize("level", [*logic.LEVELS])
def test_right_solutions_are_right(level: int) -> None:
    rng = random.Random(level)
    for _ in range(20):
        question = logic.generate(rng, level)
        solution = logic.solve(question)
        assert sum(question.count(word) for word in ("not", "and", "or")) == level
        assert logic.answer_of(question) == str(eval(question.replace("xor", "^")))
        assert logic.read_answer(solution) == logic.answer_of(question)
        assert logic.process_right(question, solution)
        assert logic.complete(question, solution)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ("= (False or True)\n= True", None),
        ("= True", None),
        ("= (False or (True xor False))\n= (False or True)\n= True", None),
        ("= (True or True)\n= True", "1"),
        ("= (False or True)\n= False", "2"),
        ("= (False or True)", "2"),
        ("= (False and True)\n= True", "1"),
        ("= nonsense", "1"),
        ("= ((not True) or (True xor False))\n= True", "1"),
    ],
)
def test_the_first_wrong_step_is_named(steps: str, error: str | None) -> None:
    assert logic.first_error(QUESTION, steps) == error


def test_a_right_answer_by_wrong_steps_is_not_right_in_process() -> None:
    solution = "= (True or True)\n= True\nThe answer is True"
    assert logic.answer_right(QUESTION, str(logic.read_answer(solution)))
    assert logic.process_right(QUESTION, solution) is False
    assert logic.complete(QUESTION, solution)
    assert logic.process_right(QUESTION, "The answer is True") is None


def test_hostile_text_is_survived() -> None:
    began = time.perf_counter()
    for text in ("= " + "(" * 100_000, "= " + "not " * 100_000, "=" * 100_000, "= True " * 50_000, "\x00" * 1000):
        assert logic.first_error(QUESTION, text)
        assert logic.read_answer(text) is None
    assert time.perf_counter() - began < 2
