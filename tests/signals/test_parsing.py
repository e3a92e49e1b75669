"""Verdict parsing: what is read, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whetstone.core.types import Generation, Token
from whetstone.signals.parsing import (
    alternatives,
    letter_probabilities,
    read_comparison,
    read_confidence,
    read_correctness,
    read_degree,
    read_feedback,
    read_score,
    tag_positions,
    token_at,
)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("A", "A"),
        ("(B)", "B"),
        ("reasoning\nE", "E"),
        ("[[A]]", "A"),
        ("[[C]]", "E"),
        ("Verdict: B", "B"),
        ("**Verdict:** A", "A"),
        ("Final verdict: **B**.", "B"),
        ("The winner is Solution A", "A"),
        ("Verdict: tie", "E"),
        ("Verdict: A, since it is complete", "A"),
        ("\\boxed{A}", "A"),
        ("\\boxed{\\text{B}}", "B"),
        ('{"verdict": "A"}', "A"),
        ('{"reason": "B is short", "winner": "tie"}', "E"),
        ("Verdict: A\nOn second thought\nVerdict: B", "B"),
        ("Say [[A]] or [[B]]. I say [[B]].", "B"),
        ("", None),
        ("Say [[A]] or [[B]].", None),
        ("Verdict: A or B", None),
        ("Verdict: A/B", None),
        ("I prefer B over A", None),
        ("A good one", None),
        ("Verdict: unclear", None),
    ],
)
def test_comparisons(text: str, choice: str | None) -> None:
    reading = read_comparison(text)
    assert (reading and reading.value) == choice
    assert reading is None or text[reading.start : reading.end]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Y", "Y"),
        ("no", "N"),
        ("c-7-7=5566:e-3-3=5533:b+0+0=5533:#c:e:b:!Y", "Y"),
        ("c-7-7=5566:e-4-3=5523;N", "N"),
        ("c-7=56#5543;N", "N"),
        ("All steps agree.\nVerdict: Y", "Y"),
        ("Step 2 is wrong.\n**Verdict: N**", "N"),
        ("Verdict: incorrect", "N"),
        ('{"correct": false}', "N"),
        ("The answer is no.\nVerdict: Y", "Y"),
        ("Verdict: Y or N", None),
        ("verdict: no error found", None),
        ("I cannot say WHY", None),
        ("", None),
    ],
)
def test_correctness(text: str, right: str | None) -> None:
    reading = read_correctness(text)
    assert (reading and reading.value) == right


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Confidence: 85", 0.85),
        ("Confidence: 85%.", 0.85),
        ("85", 0.85),
        ("0.85", 0.85),
        ("Confidence: 0.5%", 0.005),
        ("Confidence: 80/100", 0.8),
        ("Confidence: 70\nNo.\nConfidence: 30", 0.3),
        ("Confidence: 80-90", None),
        ("Confidence: 120", None),
        ("quite sure", None),
    ],
)
def test_confidences(text: str, value: float | None) -> None:
    assert read_confidence(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Score: 7", "7"),
        ("Score: 7/10", "7"),
        ("[[8]]", "8"),
        ('{"score": 9}', "9"),
        ("10", "10"),
        ("Score: 7-8", None),
        ("Score: 11", None),
        ("Score: 3/5", None),
        ("none", None),
    ],
)
def test_scores(text: str, value: str | None) -> None:
    reading = read_score(text)
    assert (reading and reading.value) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Good steps.\n\n**Score:** 4", (4.0, "Good steps.")),
        ("Score: 3", (3.0, "")),
        ("A score of 2 at first, no: Score: 5", (5.0, "A score of 2 at first, no:")),
        ("Good steps.", (None, "")),
        ("Good." + " " * 50_000 + "Score: 4", (4.0, "Good.")),
    ],
)
def test_feedback_is_what_stands_before_the_score(text: str, found: tuple[float | None, str]) -> None:
    assert read_feedback(text, 0, 5) == found


@pytest.mark.parametrize("read", [read_comparison, read_correctness, read_degree, read_confidence, read_score])
@pytest.mark.parametrize("run", ["\n", " ", "*", "[", "9", "Verdict: ", "A or ", "verdict is\n"])
@pytest.mark.parametrize("before", ["", "Verdict:", "Score:", "\\boxed{", "Confidence: 9"])
def test_time_grows_with_the_length_of_a_reply_and_not_faster(
    read: Callable[[str], object], run: str, before: str
) -> None:
    began = process_time()
    read(f"{before}{run * (100_000 // len(run))}x")
    assert process_time() - began < 5, "where each character were looked at for every other it would take minutes"


@given(st.text(max_size=80))
def test_any_text_is_read_or_not_but_never_crashes(text: str) -> None:
    for read in (read_comparison, read_correctness, read_score):
        reading = read(text)
        assert reading is None or 0 <= reading.start < reading.end <= len(text)
    confidence = read_confidence(text)
    assert confidence is None or 0 <= confidence <= 1


@given(st.sampled_from("ABE"), st.text(alphabet="xyz \n.", max_size=40))
def test_a_verdict_line_is_found_behind_any_text(choice: str, before: str) -> None:
    reading = read_comparison(f"{before}\nVerdict: {choice}")
    assert reading is not None
    assert reading.value == choice


def test_tags_are_found_in_tag_notation_only() -> None:
    assert tag_positions("c-7-7=5566:e-4-3=5523;N") == [10, 21, 22]
    assert tag_positions("c-7-7=5566:#c:!Y") == [10, 13, 15]
    assert tag_positions("Step 1: fine. Verdict: Y") == []


def test_the_token_at_a_place_and_its_alternatives() -> None:
    tokens = (Token("Verdict:", -0.1), Token(" A", log(0.6), ((" A", log(0.6)), (" B", log(0.2)), ("B", log(0.1)))))
    reply = Generation("Verdict: A", tokens)
    reading = read_comparison(reply.text)
    assert reading is not None
    assert token_at(reply, reading.start) == tokens[1]
    assert alternatives(tokens[1]) == pytest.approx({"A": 0.6, "B": 0.3})
    assert letter_probabilities(reply, reading, "ABE") == pytest.approx({"A": 2 / 3, "B": 1 / 3, "E": 0})
    assert token_at(Generation("Verdict: A", None), 9) is None
    assert token_at(Generation("verdict: A", tokens), 3) is None, "tokens that do not spell the text"
