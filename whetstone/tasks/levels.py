"""Names of levels in order."""

from __future__ import annotations


def by_value(name: str) -> tuple[bool, int, str, str]:
    """A key for sorting names: numbers by their value, however long, before words."""
    digits = name.lstrip("0") if name.isdecimal() else ""
    return not name.isdecimal(), len(digits), digits, name
