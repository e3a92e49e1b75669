"""Arithmetic expressions: parsed by a small grammar with exact fractions, never evaluated as code.

Everything is bounded (length, nesting, digits, size of results), so that any text gives a value or a ValueError
within microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_LENGTH = 1_000
MAX_DEPTH = 50
MAX_BITS = 4_096

_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})
_LATEX = (("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"), ("\\left", ""), ("\\right", ""))
_TOKEN = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?|\*\*|[-+*/^()])")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its exact value and the numbers written in it, in order."""

    value: Fraction
    numbers: tuple[Fraction, ...]


def parse_expression(text: str) -> Expression:
    """Parse `+ - * / ^` (also `**`, `×`, `÷`, LaTeX signs), brackets, whole and decimal numbers.

    Raises:
        ValueError: with the reason, when the text is no such expression, divides by zero or grows too large.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    for latex, sign in _LATEX:
        text = text.replace(latex, sign)
    return _Parser(_tokens(text.translate(_SIGNS))).parse()


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while match := _TOKEN.match(text, at):
        tokens.append(match[1])
        at = match.end()
    rest = _SPACE.match(text, at)
    if rest and rest.end() < len(text):
        raise ValueError(f"unexpected {text[rest.end()]!r}")
    return tokens


class _Parser:
    """Recursive descent; one method a level of precedence."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0
        self.numbers: list[Fraction] = []

    def parse(self) -> Expression:
        value = self.sum()
        if self.at < len(self.tokens):
            raise ValueError(f"unexpected {self.tokens[self.at]!r}")
        return Expression(value, tuple(self.numbers))

    def take(self, *wanted: str) -> str:
        """The next token if it is one of these, else ""."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def sum(self) -> Fraction:
        value = self.product()
        while sign := self.take("+", "-"):
            term = self.product()
            value = _bounded(value + term if sign == "+" else value - term)
        return value

    def product(self) -> Fraction:
        value = self.signed()
        while sign := self.take("*", "/"):
            factor = self.signed()
            if sign == "/" and not factor:
                raise ValueError("division by zero")
            value = _bounded(value * factor if sign == "*" else value / factor)
        return value

    def signed(self) -> Fraction:
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign == "-"
        value = self.power()
        return -value if negative else value

    def power(self) -> Fraction:
        base = self.atom()
        if not self.take("^", "**"):
            return base
        self.enter()
        exponent = self.signed()
        self.depth -= 1
        if exponent.denominator != 1:
            raise ValueError("an exponent that is not a whole number")
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent.numerator) > MAX_BITS or size * abs(exponent.numerator) > MAX_BITS:
            raise ValueError("a power that is too large")
        if not base and exponent < 0:
            raise ValueError("division by zero")
        return Fraction(base**exponent.numerator)

    def atom(self) -> Fraction:
        if self.take("("):
            self.enter()
            value = self.sum()
            self.depth -= 1
            if not self.take(")"):
                raise ValueError("a bracket is not closed")
            return value
        if self.at >= len(self.tokens):
            raise ValueError("the expression ends too early")
        token = self.tokens[self.at]
        if not token[0].isdigit():
            raise ValueError(f"unexpected {token!r}")
        self.at += 1
        self.numbers.append(Fraction(token))
        return self.numbers[-1]

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ValueError("a number that is too large")
    return value
