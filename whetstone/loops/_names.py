"""Options that list names."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from whetstone.core.errors import ConfigError

Name = TypeVar("Name", bound=str)


def named(text: str, known: Collection[Name], what: str) -> list[Name]:
    """The names of a comma-separated list, in the order of the known ones. Raises ConfigError for an unknown name."""
    listed = {name.strip() for name in text.split(",")} - {""}
    if unknown := sorted(listed - set(known)):
        raise ConfigError(f"{what} are {', '.join(known)}; there is no {unknown[0]!r}")
    return [name for name in known if name in listed]
