"""The strings world: a word and operations applied to it one after the other, with the text after each.

A question is `stone: reverse, swap 2 5, rotate 2, upper 3, double 1, drop 4`; its level is how many operations it
has. Places count from 1. A solution shows one line an operation, `1: enots`, and ends in `The answer is <text>`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

LEVELS = range(1, 17)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST, LONGEST = 4, 9

_ANSWER = re.compile(r"answer(?: is|:)[ \t]*[\"'`*]{0,3}([A-Za-z]{1,40})", re.IGNORECASE)
_LINE = re.compile(
    r"^[ \t]{0,20}([0-9]{1,3})[:.)][ \t]{0,20}[\"'`*]{0,3}([A-Za-z]{1,40})[\"'`*]{0,3}[ \t\r]*$", re.MULTILINE
)

OPERATIONS: dict[str, Callable[..., str]] = {
    "reverse": lambda text: text[::-1],
    "swap": lambda text, i, j: text[: i - 1] + text[j - 1] + text[i : j - 1] + text[i - 1] + text[j:],
    "rotate": lambda text, k: text[k:] + text[:k],
    "upper": lambda text, i: text[: i - 1] + text[i - 1].upper() + text[i:],
    "double": lambda text, i: text[:i] + text[i - 1 :],
    "drop": lambda text, i: text[: i - 1] + text[i:],
}
ENGLISH = {
    "reverse": "reverse the text",
    "swap": "swap letters {} and {}",
    "rotate": "move the first {} letters to the end",
    "upper": "make letter {} a capital letter",
    "double": "write letter {} twice",
    "drop": "delete letter {}",
}


def generate(rng: random.Random, level: int) -> str:
    """A random word of five to seven letters and `level` operations; the text keeps four to nine letters."""
    text = word = "".join(rng.sample(LETTERS, rng.randint(5, 7)))
    operations: list[str] = []
    while len(operations) < level:
        name = rng.choice(tuple(OPERATIONS))
        if (name == "double" and len(text) == LONGEST) or (name == "drop" and len(text) == SHORTEST):
            continue
        places = rng.sample(range(1, len(text) + 1), 2)
        arguments = {"reverse": [], "swap": sorted(places), "rotate": [rng.randint(1, 3)]}.get(name, places[:1])
        after = OPERATIONS[name](text, *arguments)
        if after != text:
            text = after
            operations.append(" ".join(map(str, [name, *arguments])))
    return f"{word}: {', '.join(operations)}"


def operations_of(question: str) -> list[str]:
    """The operations in order, e.g. `["reverse", "swap 2 5"]`."""
    return question.partition(": ")[2].split(", ")


def in_english(operation: str) -> str:
    """What an operation does, in words."""
    name, *arguments = operation.split()
    return ENGLISH[name].format(*arguments)


def trace(question: str) -> list[str]:
    """The text after each operation."""
    text, texts = question.partition(":")[0], []
    for operation in operations_of(question):
        name, *arguments = operation.split()
        text = OPERATIONS[name](text, *map(int, arguments))
        texts.append(text)
    return texts


def answer_of(question: str) -> str:
    """The text after the last operation."""
    return trace(question)[-1]


def read_answer(solution: str) -> str | None:
    """The text that the last "answer" states, else that of the last step; None if there is neither."""
    stated = _ANSWER.findall(solution) or [text for _, text in _LINE.findall(solution)] or [solution.strip()]
    return stated[-1] if stated[-1].isascii() and stated[-1].isalpha() else None


def answer_right(question: str, answer: str) -> bool:
    """Is this the final text, capital letters included?"""
    return answer == answer_of(question)


def first_error(question: str, solution: str) -> str | None:
    """The number of the first step that does not follow from the step before, else of the first missing step."""
    text, lines = question.partition(":")[0], _LINE.findall(solution)
    for i, operation in enumerate(operations_of(question)):
        name, *arguments = operation.split()
        after = OPERATIONS[name](text, *map(int, arguments))
        if i >= len(lines) or lines[i] != (str(i + 1), after):
            return str(i + 1)
        text = after
    return None if len(lines) == len(operations_of(question)) else str(len(operations_of(question)) + 1)


def process_right(question: str, solution: str) -> bool | None:
    """Is every step shown, in order and right? None when no steps are shown."""
    return first_error(question, solution) is None if _LINE.search(solution) else None


def complete(question: str, solution: str) -> bool:
    """Is there one numbered line an operation, in order? The texts are not looked at."""
    numbers = [int(number) for number, _ in _LINE.findall(solution)]
    return numbers == list(range(1, len(operations_of(question)) + 1))


def solve(question: str) -> str:
    """A right solution with its steps."""
    lines = [f"{i}: {text}" for i, text in enumerate(trace(question), 1)]
    return "\n".join([*lines, f"The answer is {answer_of(question)}"])
