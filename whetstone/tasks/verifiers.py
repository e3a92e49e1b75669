"""Verifiers by name: how an answer is read from a model's text, and when it equals the target.

A verifier never evaluates text as code, and bounds what it looks at: no text of a model makes it crash or hang.
"""

from __future__ import annotations

import inspect
import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import ConfigError
from whetstone.core.types import Example
from whetstone.tasks import isolated
from whetstone.tasks.extract import choice_letter, final_answer, last_line, last_number
from whetstone.tasks.grades import tail
from whetstone.tasks.quantities import equal, from_canonical, parse_quantity
from whetstone.worlds.arithmetic import parse_expression

LETTERS = string.ascii_uppercase
LAST_LINE = 'Work it out step by step. Then write a last line "The answer is X", where X is {}.'

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = re.compile(r"(?!-[0-9]|(?<=[0-9])\.[0-9])[^\w\s]")  # a sign and a decimal point stay
_BARE_LETTER = re.compile(r"\(?[A-Za-z]\)?[.:]?")
_NUMBER = re.compile(
    r"-?[$€£¥]?-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{1,20})(?:\.[0-9]{1,20})?(?:/[0-9]{1,9})?\s?(?:%|[A-Za-z]{1,12})?"
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """How answers are read and compared.

    Attributes:
        instructions: what a question asks the model to end with.
        read: the answer in canonical form, None if unreadable; never looks at the target.
        right: does a read answer equal the target (several targets: any of them, or the whole set)? May raise Abstain.
        fault: what is wrong with a target, None if it can be used.
    """

    instructions: str
    read: Callable[[Example, str], str | None]
    right: Callable[[Example, str, Sequence[str]], bool]
    fault: Callable[[str], str | None] = lambda target: None


def exact() -> Verifier:
    """The stated answer, else the last line, equals the target character by character."""
    return Verifier(LAST_LINE.format("the answer alone"), _stated, lambda example, answer, targets: answer in targets)


def normalised() -> Verifier:
    """Equal after dropping case, accents' encoding, punctuation, English articles and extra blanks."""

    def read(example: Example, text: str) -> str | None:
        stated = _stated(example, text)
        return stated and normalise(stated)

    return Verifier(
        LAST_LINE.format("the answer alone"),
        read,
        lambda example, answer, targets: answer in map(normalise, targets),
    )


def numeric(*, tolerance: float = 1e-6) -> Verifier:
    """Equal as numbers: units, fractions, thousands separators, percent; up to `tolerance` times the target."""

    def read(example: Example, text: str) -> str | None:
        stated = final_answer(tail(text)) or last_number(tail(text))
        quantity = parse_quantity(stated) if stated else None
        return str(quantity) if quantity else None

    def right(example: Example, answer: str, targets: Sequence[str]) -> bool:
        wanted = [quantity for target in targets if (quantity := parse_quantity(target))]
        return any(equal(from_canonical(answer), quantity, tolerance) for quantity in wanted)

    def fault(target: str) -> str | None:
        return None if parse_quantity(target) else f"{target[:40]!r} is not a number"

    return Verifier(LAST_LINE.format("a number"), read, right, fault)


def choice() -> Verifier:
    """The letter of the right choice, or that choice's text; the target is a letter."""

    def read(example: Example, text: str) -> str | None:
        stated = _stated(example, text)
        if stated is None:
            return None
        texts = [normalise(option) for option in example.choices]
        if not _BARE_LETTER.fullmatch(stated) and texts.count(normalise(stated)) == 1:
            return LETTERS[texts.index(normalise(stated))]
        return choice_letter(stated, len(example.choices) or len(LETTERS))

    def right(example: Example, answer: str, targets: Sequence[str]) -> bool:
        return answer in map(choice_letter, targets)

    def fault(target: str) -> str | None:
        return None if choice_letter(target) else f"{target[:40]!r} is not the letter of a choice"

    return Verifier(LAST_LINE.format("the letter of the right choice"), read, right, fault)


def regex() -> Verifier:
    """The target is a regular expression that is found somewhere in the text."""

    def fault(target: str) -> str | None:
        try:
            re.compile(target)
        except (re.error, RecursionError, OverflowError) as error:
            return f"not a regular expression: {error}"
        return None

    return Verifier(
        "",
        lambda example, text: tail(text).strip() or None,
        lambda example, answer, targets: any(isolated.check("pattern", t, answer) for t in targets),
        fault,
    )


def unordered() -> Verifier:
    """The same items in any order: the target is a list, or items set apart by commas, semicolons or lines."""

    def read(example: Example, text: str) -> str | None:
        stated = final_answer(tail(text))
        return ", ".join(_items([tail(text) if stated is None else stated])) or None

    return Verifier(
        LAST_LINE.format("the list of all items, with commas between them"),
        read,
        lambda example, answer, targets: _items([answer]) == _items(targets),
        lambda target: None if _items([target]) else "the target names no items",
    )


def json_schema() -> Verifier:
    """The text holds a JSON value that is valid under the target, a JSON Schema."""
    if find_spec("jsonschema") is None:
        raise ConfigError("the verifier json_schema needs jsonschema: pip install 'whetstone[data]'")

    def read(example: Example, text: str) -> str | None:
        found = _json(tail(text))
        return json.dumps(found[0], sort_keys=True) if found else None

    def right(example: Example, answer: str, targets: Sequence[str]) -> bool:
        return any(isolated.check("schema", json.loads(target), json.loads(answer)) for target in targets)

    def fault(target: str) -> str | None:
        found = _json(target)
        return None if found and isinstance(found[0], dict | bool) else "the target is not a JSON Schema (an object)"

    return Verifier("Answer with JSON only.", read, right, fault)


def expression() -> Verifier:
    """An arithmetic expression of the target's value; with `numbers` in the metadata, of exactly these numbers."""

    def read(example: Example, text: str) -> str | None:
        stated = (_stated(example, text) or "").partition("=")[0].strip(" *$`")
        return "".join(stated.split()) if _value(stated) is not None else None

    def right(example: Example, answer: str, targets: Sequence[str]) -> bool:
        numbers = example.meta.get("numbers")
        if isinstance(numbers, Sequence) and not isinstance(numbers, str):
            wanted = Counter(Fraction(str(number)) for number in numbers)
            if Counter(parse_expression(answer).numbers) != wanted:
                return False
        return _value(answer) in {_value(target) for target in targets}

    def fault(target: str) -> str | None:
        return None if _value(target) is not None else f"{target[:40]!r} is not an arithmetic expression"

    return Verifier(LAST_LINE.format('an arithmetic expression, without "="'), read, right, fault)


VERIFIERS: dict[str, Callable[..., Verifier]] = {
    "exact": exact,
    "normalised": normalised,
    "numeric": numeric,
    "choice": choice,
    "regex": regex,
    "set": unordered,
    "json_schema": json_schema,
    "expression": expression,
}


def load_verifier(name: str, **options: Any) -> Verifier:
    """The verifier of a name. Raises ConfigError that lists what exists, for names and for options."""
    if name not in VERIFIERS:
        raise ConfigError(f"no verifier is called {name!r}; there are {', '.join(VERIFIERS)}")
    known = inspect.signature(VERIFIERS[name]).parameters
    for option in options:
        if option not in known:
            listed = f"it has {', '.join(known)}" if known else "it has none"
            raise ConfigError(f"the verifier {name} has no option {option!r}; {listed}")
    return VERIFIERS[name](**options)


def choose_verifier(choices: Sequence[str], targets: Sequence[str]) -> str:
    """The verifier that suits an example when none was named."""
    if choices:
        return "choice"
    numbers = all(_NUMBER.fullmatch(target) and parse_quantity(target) for target in targets)
    return "numeric" if numbers else "normalised"


def normalise(text: str) -> str:
    """Lower case, NFKC, single blanks; without punctuation and English articles unless nothing else is there."""
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    words = " ".join(_PUNCTUATION.sub(" ", text).split())
    return " ".join(_ARTICLES.sub(" ", words).split()) or words or text


def _stated(example: Example, text: str) -> str | None:
    text = tail(text)
    return final_answer(text) or last_line(text) or None


def _items(texts: Sequence[str]) -> list[str]:
    parts = (part for text in texts for part in re.split(r"[,;\n]|\band\b", text.strip("[](){} \n")))
    return sorted({normalise(part) for part in parts if part.strip()})


def _value(text: str) -> Fraction | None:
    try:
        return parse_expression(text).value
    except ValueError:
        return None


def _json(text: str) -> tuple[Any] | None:
    """The JSON value of a text: all of it, else its last fenced block, else from the first brace to the last."""
    fenced = text.split("```")[1::2][-1:]
    braced = [text[text.find(a) : text.rfind(b) + 1] for a, b in ("{}", "[]") if a in text]
    for attempt in (text, *(block.removeprefix("json") for block in fenced), *braced):
        try:
            return (read_json(attempt),)
        except ValueError:
            continue
    return None
