"""JSON from outside."""

from __future__ import annotations

import pytest

from whetstone.core.decode import read_json


@pytest.mark.parametrize("data", ["{", b"\xff", "", "[" * 100_000, b'{"a":' * 100_000])
def test_what_cannot_be_read_is_a_value_error(data: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(data)


def test_what_can_be_read_is_read() -> None:
    assert read_json('{"a": [1, null]}') == read_json(b'{"a": [1, null]}') == {"a": [1, None]}
