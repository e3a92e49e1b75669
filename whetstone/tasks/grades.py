"""What verifiers return, and the bounds on the text that they look at."""

from __future__ import annotations

from whetstone.core.types import Signal

MAX_TEXT = 20_000


def graded(right: bool) -> Signal:
    """Right or wrong."""
    return Signal(float(right), "binary")


def unreadable(reason: str = "no answer could be read") -> Signal:
    """Wrong, because the text states no answer; `provenance["unreadable"]` says so, so that it can be counted."""
    return Signal(0.0, "binary", provenance={"unreadable": reason})


def undecided(reason: str) -> Signal:
    """Neither right nor wrong: the verifier cannot tell."""
    return Signal(None, "binary", abstained=reason)


def tail(text: str) -> str:
    """The end of a text, where answers stand: at most `MAX_TEXT` characters, so that no text makes reading slow."""
    return text[-MAX_TEXT:]
