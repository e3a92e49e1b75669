"""The logic world: Boolean expressions simplified step by step to one truth value.

A question is `((not True) or (True xor False))`, every operation in brackets; its level is how many operations it
has. A solution shows one line a step, `= (False or (True xor False))`, where any number of brackets may be replaced
by their value, and ends in `The answer is True`.
"""

from __future__ import annotations

import random
import re
from itertools import pairwise

LEVELS = range(4, 25)
MAX_DEPTH = 60
MAX_TOKENS = 400

Node = bool | tuple["Node"] | tuple["Node", str, "Node"]

OPERATIONS = ("and", "or", "xor")

_TOKEN = re.compile(r"[ \t]*([()]|(?:True|False|not|and|or|xor)\b)", re.IGNORECASE)
_ANSWER = re.compile(r"answer(?: is|:)[ \t]*[\"'`*]{0,3}(True|False)\b", re.IGNORECASE)
_LINE = re.compile(r"^[ \t]{0,20}=[ \t]{0,20}([^\n]{1,4000})$", re.MULTILINE)


def generate(rng: random.Random, level: int) -> str:
    """A random tree of `level` operations (not, and, or, xor); "not" is one in four."""
    if level == 0:
        return rng.choice(("True", "False"))
    if rng.random() < 0.25:
        return f"(not {generate(rng, level - 1)})"
    left = rng.randrange(level)
    return f"({generate(rng, left)} {rng.choice(OPERATIONS)} {generate(rng, level - 1 - left)})"


def parse(text: str) -> Node:
    """An expression as nested tuples. Raises ValueError when it is none or is nested too deep."""
    tokens, at = [], 0
    while match := _TOKEN.match(text, at):
        tokens.append(match[1].lower())
        at = match.end()
        if len(tokens) > MAX_TOKENS:
            raise ValueError("too long")
    if text[at:].strip(" \t.\r"):
        raise ValueError(f"unexpected {text[at : at + 10]!r}")
    node, end = _node(tokens, 0, 0)
    if end < len(tokens):
        raise ValueError(f"unexpected {tokens[end]!r}")
    return node


def evaluate(node: Node) -> bool:
    """The truth value."""
    if isinstance(node, bool):
        return node
    if len(node) == 1:
        return not evaluate(node[0])
    left, operation, right = evaluate(node[0]), node[1], evaluate(node[2])
    return left and right if operation == "and" else left or right if operation == "or" else left != right


def answer_of(question: str) -> str:
    """ "True" or "False"."""
    return str(evaluate(parse(question)))


def read_answer(solution: str) -> str | None:
    """The truth value that the last "answer" states, else the whole text if it is one."""
    stated = _ANSWER.findall(solution) or [solution.strip(" \t\r\n.=")]
    value = stated[-1].capitalize()
    return value if value in ("True", "False") else None


def answer_right(question: str, answer: str) -> bool:
    """Is this the expression's value?"""
    return answer == answer_of(question)


def first_error(question: str, solution: str) -> str | None:
    """The number of the first step that does not follow from the one before; None when all do, down to a value.

    The step after the last one is named when the steps stop before a single value is left.
    """
    node = parse(question)
    lines = _LINE.findall(solution)[:MAX_TOKENS]
    for i, line in enumerate(lines, 1):
        try:
            after = parse(line)
        except ValueError:
            return str(i)
        if after == node or not _follows(node, after):
            return str(i)
        node = after
    return None if isinstance(node, bool) else str(len(lines) + 1)


def process_right(question: str, solution: str) -> bool | None:
    """Does every step follow from the one before, down to a single value? None when no steps are shown."""
    return first_error(question, solution) is None if _LINE.search(solution) else None


def complete(question: str, solution: str) -> bool:
    """Do the steps get shorter down to a single value? Whether they are right is not looked at."""
    sizes = [len(_TOKEN.findall(line)) for line in (question, *_LINE.findall(solution))]
    return sizes[-1] == 1 and all(a > b for a, b in pairwise(sizes))


def solve(question: str) -> str:
    """A right solution that replaces all innermost brackets at each step."""
    node, lines = parse(question), []
    while not isinstance(node, bool):
        node = _reduced(node)
        lines.append(f"= {_text(node)}")
    return "\n".join([*lines, f"The answer is {node}"])


def _node(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    if depth > MAX_DEPTH or at >= len(tokens):
        raise ValueError("nested too deep" if depth > MAX_DEPTH else "ends too early")
    if tokens[at] in ("true", "false"):
        return tokens[at] == "true", at + 1
    if tokens[at] == "not":
        inner, at = _node(tokens, at + 1, depth + 1)
        return (inner,), at
    if tokens[at] != "(":
        raise ValueError(f"unexpected {tokens[at]!r}")
    node, at = _node(tokens, at + 1, depth + 1)
    if at < len(tokens) and tokens[at] in OPERATIONS:
        operation = tokens[at]
        right, at = _node(tokens, at + 1, depth + 1)
        node = (node, operation, right)
    if at >= len(tokens) or tokens[at] != ")":
        raise ValueError("a bracket is not closed")
    return node, at + 1


def _follows(node: Node, after: Node) -> bool:
    """Can `after` be had from `node` by replacing parts with their values?"""
    if isinstance(after, bool):
        return evaluate(node) == after
    if isinstance(node, bool) or len(node) != len(after):
        return False
    if len(node) == 1 or len(after) == 1:
        return _follows(node[0], after[0])
    return node[1] == after[1] and _follows(node[0], after[0]) and _follows(node[2], after[2])


def _reduced(node: Node) -> Node:
    if isinstance(node, bool):
        return node
    if all(isinstance(part, bool | str) for part in node):
        return evaluate(node)
    return (_reduced(node[0]),) if len(node) == 1 else (_reduced(node[0]), node[1], _reduced(node[2]))


def _text(node: Node) -> str:
    if isinstance(node, bool):
        return str(node)
    return f"(not {_text(node[0])})" if len(node) == 1 else f"({_text(node[0])} {node[1]} {_text(node[2])})"
