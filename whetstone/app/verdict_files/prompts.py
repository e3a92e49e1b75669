"""What a judge was shown, from the prompt that was put to it."""

from __future__ import annotations

from typing import Any

MARKS = (
    ("<|The Start of Assistant {}'s Answer|>", "<|The End of Assistant {}'s Answer|>"),
    ("[The Start of Assistant {}'s Answer]", "[The End of Assistant {}'s Answer]"),
    ("<|The Start of Assistant {}'s Conversation with User|>", "<|The End of Assistant {}'s Conversation with User|>"),
)
ALONE = (
    ("[The Start of Assistant's Answer]", "[The End of Assistant's Answer]"),
    ("<|The Start of Assistant's Answer|>", "<|The End of Assistant's Answer|>"),
    tuple(mark.format("A") for mark in MARKS[2]),
)


def answers(prompt: str | None) -> tuple[str | None, str | None]:
    """The answers A and B between the markers of a pairwise prompt.

    (None, None) where the markers are absent or stand there more than once: an answer may hold them too.
    """
    if prompt:
        for start, end in MARKS:
            found = [_between(prompt, start.format(side), end.format(side)) for side in "AB"]
            if None not in found:
                return found[0], found[1]
    return None, None


def answer(prompt: str | None) -> str | None:
    """The one answer between the markers of a grading prompt; None as for `answers`."""
    found = (_between(prompt, start, end) for start, end in ALONE) if prompt else ()
    return next((text for text in found if text is not None), None)


def last_user(messages: Any) -> str | None:
    """The text of the last user message of a chat; None where it is not one."""
    if isinstance(messages, str):
        return messages
    if not isinstance(messages, list):
        return None
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            return content(message.get("content"))
    return None


def content(value: Any) -> str | None:
    """The text of a message's content: a text, or parts of which some are texts."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if texts else None
    return value if isinstance(value, str) else None


def _between(prompt: str, start: str, end: str) -> str | None:
    if prompt.count(start) != 1 or prompt.count(end) != 1:
        return None
    _, _, rest = prompt.partition(start)
    inside, found, _ = rest.partition(end)
    return inside.strip("\n") if found else None
