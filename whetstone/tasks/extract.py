"""Reading the final answer out of a model's text.

Markers understood: `\\boxed{18}`, `#### 18` (gsm8k), a line `A: 18` or `Answer: 18`, and "the answer is 18". Where
several occur, the last one counts. Patterns take time linear in the text.
"""

from __future__ import annotations

import re

LONGEST = 2_000

_ANSWER_IS = re.compile(r"\banswer is:?", re.IGNORECASE)
_LABEL = re.compile(
    r"^[ \t]{0,9}(?:####|[*_]{0,2}(?:final )?answer[*_]{0,2}:|A:)[*_]{0,2}", re.IGNORECASE | re.MULTILINE
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s?\{")
_NUMBER = re.compile(r"(?<![0-9A-Za-z.])-?\$?[0-9][0-9,]{0,60}(?:\.[0-9]{1,60})?%?(?!\.?[0-9])")
_LETTER = re.compile(r"\(?([A-Za-z])(?:\)[.:]?|[.:])?(?:\s|$)")


def answer_is(text: str) -> str | None:
    """What follows the last "answer is", up to the end of the line, without the final full stop."""
    found = [match.end() for match in _ANSWER_IS.finditer(text)]
    return _rest_of_line(text, found[-1]) if found else None


def labelled(text: str) -> str | None:
    """What follows the last `####`, `A:` or `Answer:` at the start of a line, up to the end of the line."""
    found = [match.end() for match in _LABEL.finditer(text)]
    return _rest_of_line(text, found[-1]) if found else None


def boxed(text: str) -> str | None:
    """The content of the last `\\boxed{...}`, inner braces included; None when it is not closed."""
    found = [match.end() for match in _BOXED.finditer(text)]
    return _braced(text, found[-1]) if found else None


def final_answer(text: str) -> str | None:
    """What the last marker of any kind says, or None without any marker."""
    places = [
        (match.end(), kind)
        for kind, pattern in (("box", _BOXED), ("line", _LABEL), ("line", _ANSWER_IS))
        for match in pattern.finditer(text)
    ]
    if not places:
        return None
    end, kind = max(places)
    return (_braced(text, end) if kind == "box" else _rest_of_line(text, end)) or None


def last_line(text: str) -> str:
    """The last line that is not empty."""
    return text.strip().rpartition("\n")[2].strip()[-LONGEST:]


def last_number(text: str) -> str | None:
    """The last number as it is written, with its sign, separators and percent sign."""
    found = _NUMBER.findall(text)
    return found[-1] if found else None


def choice_letter(text: str, count: int = 26) -> str | None:
    """The letter that a short answer starts with, such as `B`, `(B)`, `B.` or `(B) Paris`; None for other words."""
    match = _LETTER.match(text.strip(" \t\n*_$`"))
    if not match or ord(match[1].upper()) - ord("A") >= count:
        return None
    # A bare letter must stand alone: "A dog" is no choice of A.
    bare = match[0].strip().isalpha() and match.end() < len(text.strip(" \t\n*_$`"))
    return None if bare else match[1].upper()


def _rest_of_line(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start : end if end >= 0 else None][:LONGEST].strip().removesuffix(".")


def _braced(text: str, start: int) -> str | None:
    depth = 1
    for i in range(start, min(len(text), start + LONGEST)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[start:i].strip()
    return None
