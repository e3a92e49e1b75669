"""Countdown: every question can be solved, and the game of 24 has the known number of solvable deals."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement

import pytest

from whetstone.worlds import countdown


@pytest.mark.parametrize("level", countdown.LEVELS)
def test_every_question_can_be_solved(level: int) -> None:
    rng = random.Random(level)
    for _ in range(60):
        question = countdown.generate(rng, level)
        solution = countdown.solve(question)
        answer = countdown.read_answer(solution)
        assert len(countdown.numbers_of(question)) == level
        assert answer is not None
        assert countdown.answer_right(question, answer)
        assert countdown.process_right(question, solution)
        assert countdown.complete(question, solution)


def test_1362_of_all_deals_of_24_can_be_solved() -> None:
    deals = (" ".join(map(str, deal)) for deal in combinations_with_replacement(range(1, 14), 4))
    assert sum(countdown.solution_of(f"{deal} -> 24") is not None for deal in deals) == 1362


@pytest.mark.parametrize(
    ("answer", "right", "complete"),
    [
        ("(8-4)*(7-8/8)", False, False),
        ("(7-8/8)*4", True, True),
        ("4*6", False, False),
        ("24", False, False),
        ("(7 - 8 ÷ 8) × 4 = 24", True, True),
        ("4+7+8+8", False, True),
    ],
)
def test_each_number_is_used_exactly_once(answer: str, right: bool, complete: bool) -> None:
    question = "4 7 8 8 -> 24"
    solution = f"The answer is {answer}."
    read = countdown.read_answer(solution)
    assert read is not None
    assert countdown.answer_right(question, read) is right
    assert countdown.complete(question, solution) is complete


@pytest.mark.parametrize(
    ("steps", "right"),
    [
        ("8 / 8 = 1\n7 - 1 = 6 (left: 4 6)\n6 * 4 = 24", True),
        ("8 / 8 = 1\n7 - 1 = 5\n5 * 4 = 24", False),
        ("8 / 8 = 1\n7 - 1 = 6", False),
        ("4 * 6 = 24", False),
        ("I see it at once.", None),
        ("8 / 0 = 1", False),
    ],
)
def test_steps_are_checked(steps: str, right: bool | None) -> None:
    assert countdown.process_right("4 7 8 8 -> 24", steps) is right


def test_an_impossible_deal_has_no_answer() -> None:
    assert countdown.solution_of("1 1 1 1 -> 24") is None
    with pytest.raises(ValueError, match="no solution"):
        countdown.answer_of("1 1 1 1 -> 24")


def test_a_game_of_24_is_always_solvable() -> None:
    rng = random.Random(0)
    assert all(countdown.solution_of(countdown.generate_24(rng)) for _ in range(20))
