"""The ledger world: planted errors are found where they were planted, right solutions are never flagged."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.worlds import ledger

QUESTION = "63c-7e-3b+0"
STYLES: tuple[ledger.Style, ...] = ("forward", "backward", "shuffled")


def questions(n: int = 300) -> list[str]:
    rng = random.Random(0)
    return [ledger.generate(rng, 1 + i % 16) for i in range(n)]


def test_a_question_worked_by_hand() -> None:
    rng = random.Random(0)
    assert ledger.entries(QUESTION) == ["c-7", "e-3", "b+0"]
    assert ledger.answer_of(QUESTION) == "53"
    assert ledger.solve(rng, QUESTION, style="forward") == "c-7=56e-3=53b+0=53"
    assert ledger.solve(rng, QUESTION, style="backward") == "b+0=63e-3=60c-7=53"
    assert ledger.solve(rng, QUESTION, style="hasty") == "53"
    assert ledger.answer_of("03a-7") == "96"
    assert ledger.answer_of("98a+7") == "05"


@pytest.mark.parametrize(
    ("solution", "error", "text"),
    [
        ("c-7=56e-3=53b+0=53", None, "c-7-7=5566:e-3-3=5533:b+0+0=5533:#c:e:b:!Y"),
        ("c-7=57e-3=54b+0=54", "c", "c-7-7=5576;N"),
        ("c-7=56e-4=52b+0=52", "e", "c-7-7=5566:e-4-3=5523;N"),
        ("c-7=56b+0=56", "e", "c-7-7=5566:b+0+0=5566:#c:e;N"),
        ("c-7=56c-7=49", "c", "c-7-7=5566:c;N"),
        ("c-7=56a+1=57", "a", "c-7-7=5566:a;N"),
        ("c-7=5", "c", "c;N"),
        ("zzz", "?", "?;N"),
        ("", "c", "#c;N"),
        ("53", None, "c-7=56e-3=53b+0=53#5533:!Y"),
        ("54", "?", "c-7=56e-3=53b+0=53#5543;N"),
    ],
)
def test_the_critique_names_the_first_error(solution: str, error: str | None, text: str) -> None:
    found = ledger.critique(QUESTION, solution)
    assert ledger.first_error(QUESTION, solution) == found.first_wrong == error
    assert found.text == text
    assert found.right == (error is None)


def test_right_solutions_are_never_flagged() -> None:
    rng = random.Random(1)
    for question in questions():
        for style in STYLES:
            solution = ledger.solve(rng, question, style=style)
            assert ledger.read_answer(solution) == ledger.answer_of(question)
            assert ledger.process_right(question, solution) is True
            assert ledger.complete(question, solution)
            assert ledger.critique(question, solution).right


def test_planted_errors_are_always_found_and_refined() -> None:
    rng = random.Random(2)
    for question in questions():
        for style in (*STYLES, "hasty"):
            solution = ledger.plant_error(rng, question, style)  # type: ignore[arg-type]
            found = ledger.critique(question, solution)
            assert ledger.first_error(question, solution) == found.first_wrong is not None
            assert not found.right
            assert found.text.endswith("N")
            refined = ledger.refine(question, found)
            assert refined.startswith(found.prefix)
            assert ledger.first_error(question, refined) is None


def test_errors_fall_on_all_places_alike() -> None:
    rng = random.Random(3)
    places: Counter[int] = Counter()
    for _ in range(4000):
        question = ledger.generate(rng, 5)
        solution = ledger.plant_error(rng, question, "forward")
        error, labels = str(ledger.first_error(question, solution)), [e[0] for e in ledger.entries(question)]
        places[labels.index(error) if error in labels else solution.index(error) // ledger.WIDTH] += 1
    # A repeat is named by the label it repeats, which draws a little towards the start.
    assert all(600 < places[i] < 1000 for i in range(5)), places


def test_some_planted_errors_keep_the_right_answer() -> None:
    rng = random.Random(4)
    right = 0
    for _ in range(2000):
        question = ledger.generate(rng, 6)
        right += ledger.read_answer(ledger.plant_error(rng, question, "forward")) == ledger.answer_of(question)
    assert 0.02 < right / 2000 < 0.15


def test_slips_are_as_frequent_as_asked() -> None:
    rng = random.Random(5)
    wrong = 0
    for _ in range(2000):
        question = ledger.generate(rng, 4)
        wrong += ledger.process_right(question, ledger.solve(rng, question, style="forward", slip_rate=0.1)) is False
    assert wrong / 2000 == pytest.approx(1 - 0.9**4, abs=0.03)


def test_same_seed_same_text() -> None:
    def texts(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [ledger.plant_error(rng, ledger.generate(rng, 7), "shuffled") for _ in range(50)]

    assert texts(7) == texts(7) != texts(8)


def test_english_solutions_are_read() -> None:
    text = "Start: 63\nc - 7 = 56\n e-3 = 53\nb + 0 = 53\nThe answer is **53**."
    assert ledger.read_answer(text) == "53"
    assert ledger.compact(text) == "c-7=56e-3=53b+0=53"
    assert ledger.read_answer("The answer is 7") == "07"
    assert ledger.read_answer("I do not know.") is None
    assert ledger.read_answer("the answer is 153") is None


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=60) | st.text(alphabet="abc+-=0123456789٣", max_size=30))
def test_any_text_is_survived(text: str) -> None:
    found = ledger.critique(QUESTION, text)
    assert found.first_wrong == ledger.first_error(QUESTION, text)
    assert ledger.first_error(QUESTION, ledger.refine(QUESTION, found)) is None
    ledger.read_answer(text)
    assert isinstance(ledger.complete(QUESTION, ledger.compact(text)), bool)
