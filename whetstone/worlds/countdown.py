"""The countdown world: reach a target by using each given number exactly once with + - * / and brackets.

A question is `4 7 8 8 -> 24`; its level is how many numbers it has. A solution may show steps, one a line
(`8 - 4 = 4`, each of two numbers that are left), and ends in `The answer is <expression>`. The game of 24 is the
preset with four numbers from 1 to 13.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from whetstone.worlds.arithmetic import Expression, parse_expression

LEVELS = range(2, 6)
LARGEST = 20
TARGETS = range(10, 100)
MAX_STEPS = 100

Tree = int | tuple[str, "Tree", "Tree"]

_ANSWER = re.compile(r"answer(?: is|:)[ \t]*([^\n]{1,400})", re.IGNORECASE)
_NUMBER = r"(-?[0-9]{1,12}(?:[./][0-9]{1,12})?)"
_STEP = re.compile(rf"^[ \t]{{0,20}}{_NUMBER}[ \t]?([-+*/×÷])[ \t]?{_NUMBER}[ \t]?=[ \t]?{_NUMBER}", re.MULTILINE)


def generate(rng: random.Random, level: int) -> str:
    """Numbers from 1 to 20 and a target of two digits that whole positive steps can reach."""
    while True:
        numbers = [rng.randint(1, LARGEST) for _ in range(level)]
        left = list(numbers)
        while len(left) > 1:
            rng.shuffle(left)
            b, a = sorted((left.pop(), left.pop()))
            results = [a + b, a * b] + [a - b] * (a > b) + [a // b] * (a % b == 0)
            left.append(rng.choice(results))
        if left[0] in TARGETS:
            return f"{' '.join(map(str, numbers))} -> {left[0]}"


def generate_24(rng: random.Random, level: int = 4) -> str:
    """A solvable game of 24: `level` numbers from 1 to 13, in rising order."""
    while True:
        question = f"{' '.join(map(str, sorted(rng.choices(range(1, 14), k=level))))} -> 24"
        if solution_of(question) is not None:
            return question


def numbers_of(question: str) -> tuple[int, ...]:
    """The given numbers."""
    return tuple(map(int, question.partition(" -> ")[0].split()))


def target_of(question: str) -> int:
    """The target."""
    return int(question.partition(" -> ")[2])


@lru_cache(maxsize=4096)
def solution_of(question: str) -> Tree | None:
    """A tree `(sign, left, right)` of numbers that reaches the target, or None when there is none.

    The search is complete up to four numbers. With five, steps stay whole and positive, as `generate` guarantees.
    """
    numbers, target = tuple(sorted(numbers_of(question))), target_of(question)
    return next((tree for value, tree in _combinations(numbers, len(numbers) > 4) if value == target), None)


def answer_of(question: str) -> str:
    """One right expression. Raises ValueError when the target cannot be reached."""
    tree = solution_of(question)
    if tree is None:
        raise ValueError(f"{question}: no solution")
    return _text(tree)


def read_answer(solution: str) -> str | None:
    """The expression that the last "answer" states (else the last line), without blanks and without `= target`."""
    stated = _ANSWER.findall(solution)
    line = stated[-1] if stated else solution.strip().rpartition("\n")[2]
    text = "".join(line[:400].partition("=")[0].strip(" \t.*$`").split())
    return text if _parsed(text) else None


def answer_right(question: str, answer: str) -> bool:
    """Does the expression reach the target with each number used exactly once?"""
    expression = _parsed(answer)
    return expression is not None and expression.value == target_of(question) and _uses_all(question, expression)


def process_right(question: str, solution: str) -> bool | None:
    """Do the steps use only numbers that are left, without a slip, up to the target? None without any steps."""
    left = Counter(map(Fraction, numbers_of(question)))
    steps = _STEP.findall(solution)[:MAX_STEPS]
    for a, sign, b, result in steps:
        terms = [_parsed(text) for text in (a, b, result, f"({a}){sign}({b})")]
        if None in terms:
            return False
        first, second, third, true = (term.value for term in terms if term)
        left.subtract((first, second))
        if third != true or min(left.values()) < 0:
            return False
        left[third] += 1
    return left.total() == left[Fraction(target_of(question))] == 1 if steps else None


def complete(question: str, solution: str) -> bool:
    """Does the stated expression use each number exactly once? Its value is not looked at."""
    expression = _parsed(read_answer(solution) or "")
    return expression is not None and _uses_all(question, expression)


def solve(question: str) -> str:
    """A right solution with its steps. Raises ValueError when the target cannot be reached."""
    answer, tree = answer_of(question), solution_of(question)
    lines: list[str] = []

    def value(node: Tree) -> Fraction:
        if isinstance(node, int):
            return Fraction(node)
        sign, left, right = node
        a, b = value(left), value(right)
        result = a + b if sign == "+" else a - b if sign == "-" else a * b if sign == "*" else a / b
        lines.append(f"{a} {sign} {b} = {result}")
        return result

    if tree is not None:
        value(tree)
    return "\n".join([*lines, f"The answer is {answer}"])


def _combinations(numbers: tuple[int, ...], whole: bool) -> Iterator[tuple[int | Fraction, Tree]]:
    """Every value that uses all the numbers, with a tree. No step needs to be negative for a positive target."""
    if len(numbers) == 1:
        yield numbers[0], numbers[0]
    places = range(len(numbers))
    for size in range(1, len(numbers) // 2 + 1):
        for chosen in combinations(places, size):
            right = _reach(tuple(numbers[i] for i in places if i not in chosen), whole)
            for a, first in _reach(tuple(numbers[i] for i in chosen), whole).items():
                for b, second in right.items():
                    yield a + b, ("+", first, second)
                    yield a * b, ("*", first, second)
                    (high, x), (low, y) = ((a, first), (b, second)) if a >= b else ((b, second), (a, first))
                    if high > low or not whole:
                        yield high - low, ("-", x, y)
                    for top, bottom, upper, lower in ((a, b, first, second), (b, a, second, first)):
                        if bottom and top % bottom == 0:
                            yield top // bottom, ("/", upper, lower)
                        elif bottom and not whole:
                            yield Fraction(top) / bottom, ("/", upper, lower)


@lru_cache(maxsize=8192)
def _reach(numbers: tuple[int, ...], whole: bool) -> dict[int | Fraction, Tree]:
    return dict(_combinations(numbers, whole))


def _text(tree: Tree, *, inner: bool = False) -> str:
    if isinstance(tree, int):
        return str(tree)
    sign, left, right = tree
    text = _text(left, inner=True) + sign + _text(right, inner=True)
    return f"({text})" if inner else text


def _parsed(text: str) -> Expression | None:
    try:
        return parse_expression(text)
    except ValueError:
        return None


def _uses_all(question: str, expression: Expression) -> bool:
    return Counter(expression.numbers) == Counter(map(Fraction, numbers_of(question)))
