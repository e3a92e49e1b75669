"""Answers are read where the text marks them."""

from __future__ import annotations

import time

import pytest

from whetstone.tasks import extract


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2+2=4\n#### 4", "4"),
        ("so\nA: 18", "18"),
        ("Answer: Paris.", "Paris"),
        ("**Answer:** 7", "7"),
        ("Final answer: x", "x"),
        ("I think the answer is (B).", "(B)"),
        ("The answer is: 5\nmore", "5"),
        (r"so $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"The answer is $\boxed{18}$.", "18"),
        ("The answer is 3. No, wait: the answer is 4.", "4"),
        ("#### 3\nThe answer is 5", "5"),
        (r"\boxed{1", None),
        ("nothing here", None),
        ("The answer is", None),
        ("", None),
    ],
)
def test_the_last_marker_counts(text: str, answer: str | None) -> None:
    assert extract.final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I paid $1,234.50 in all.", "$1,234.50"),
        ("from 3 to -4", "-4"),
        ("about 50%", "50%"),
        ("version v2", None),
        ("none", None),
        ("it is 7.", "7"),
    ],
)
def test_the_last_number(text: str, number: str | None) -> None:
    assert extract.last_number(text) == number


@pytest.mark.parametrize(
    ("text", "letter"),
    [("B", "B"), ("(c)", "C"), ("b.", "B"), ("(B) Paris", "B"), ("A dog", None), ("Paris", None), ("E", None)],
)
def test_choice_letters(text: str, letter: str | None) -> None:
    assert extract.choice_letter(text, 4) == letter


@pytest.mark.parametrize(
    "text",
    ["\\boxed{" * 30_000, "answer is " * 30_000, "9," * 100_000, "####\n" * 50_000, " " * 200_000, "{" * 200_000],
)
def test_reading_is_fast_on_any_text(text: str) -> None:
    began = time.perf_counter()
    for function in (extract.final_answer, extract.last_number, extract.last_line, extract.choice_letter):
        function(text)
    assert time.perf_counter() - began < 1.5
