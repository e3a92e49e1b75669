"""Reading verdicts in five degrees."""

from __future__ import annotations

import pytest

from whetstone.signals.parsing import read_degree


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("Verdict: A++", 2),
        ("verdict: **A+**", 1),
        ("My final verdict is: [[A>B]]", 1),
        ("[[B>>A]]", -2),
        ("[[A >> B]]", 2),
        ('{"reason": "...", "choice": "B+"}', -1),
        ("It is close.\nA=B", 0),
        ("First I thought [[A>B]], but [[A=B]]", 0),
        ("Verdict: A+ or B+", None),
        ("Verdict: A", None),
        ("A+ work by both", None),
        ("Verdict: A+++", None),
        ("", None),
    ],
)
def test_takes_the_last_unambiguous_degree(text, degree) -> None:
    assert read_degree(text) == degree
