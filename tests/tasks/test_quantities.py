"""Numbers as people write them."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.tasks.quantities import equal, from_canonical, parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", 18),
        ("-7", -7),
        ("−3", -3),
        ("$1,234.50", Fraction("1234.5")),
        ("-$5", -5),
        ("$-5", -5),
        ("1 1/2", Fraction(3, 2)),
        ("-1 1/2 cups", Fraction(-3, 2)),
        ("3/4", Fraction(3, 4)),
        (r"\frac{1}{2}", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("1e3", 1000),
        ("2 + 3 = 5 apples", 5),
        ("about 18 dollars", 18),
        ("1\u202f000", 1000),
    ],
)
def test_values(text: str, value: Fraction | int) -> None:
    found = parse_quantity(text)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize("text", ["", "none", "1/0", "1 1/0", "١٢", "-", "$", ".", "9" * 60, "\x00"])
def test_what_is_no_number(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("answer", "target", "same"),
    [
        ("5 km", "5000 m", True),
        ("5 kilometers", "5 km", True),
        ("90 minutes", "1.5 hours", True),
        ("5 km", "5 kg", False),
        ("5 apples", "5 pears", True),
        ("5", "5 km", True),
        ("50%", "0.5", True),
        ("50%", "50", True),
        ("50", "50%", True),
        ("0.5", "50%", True),
        ("50%", "60%", False),
        ("0.3333333", "1/3", True),
        ("0.33", "1/3", False),
        ("0", "0.0001", False),
    ],
)
def test_equality(answer: str, target: str, same: bool) -> None:
    left, right = parse_quantity(answer), parse_quantity(target)
    assert left is not None
    assert right is not None
    assert equal(left, right, 1e-6) is same


def test_tolerance_is_relative_to_the_target() -> None:
    left, right = parse_quantity("101"), parse_quantity("100")
    assert left is not None
    assert right is not None
    assert equal(left, right, 0.01)
    assert not equal(left, right, 0.009)


@settings(deadline=None, derandomize=True)
@given(st.text(alphabet="0123456789.,-/$%eE km\\{}", max_size=50))
def test_any_text_is_survived_and_what_is_read_can_be_read_again(text: str) -> None:
    began = time.perf_counter()
    found = parse_quantity(text)
    if found is not None:
        assert from_canonical(str(found)) == found
    assert time.perf_counter() - began < 0.5
