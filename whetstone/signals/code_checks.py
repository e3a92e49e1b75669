"""Checks of a text written as Python expressions, run without Python: only what is listed here exists.

An expression is parsed and walked. It sees the name `answer` and the functions below, has no attribute but the listed
methods of texts and lists, no assignment, no import and no loop but a comprehension, and stops after `STEPS` steps; so
a check that a model wrote cannot read, write, hang or grow.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from whetstone.core.decode import read_json
from whetstone.core.errors import WhetstoneError

STEPS = 20_000
LONGEST = 100_000
BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Mult: operator.mul,
}
COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
METHODS = {
    *("lower", "upper", "strip", "lstrip", "rstrip", "split", "splitlines", "startswith", "endswith", "count", "find"),
    *("index", "isdigit", "isalpha", "isupper", "islower", "istitle", "isspace"),
}


class CheckError(WhetstoneError):
    """A check could not be parsed or run; the message says why."""


def words(text: str) -> list[str]:
    """Runs of letters and digits."""
    return re.findall(r"\w+(?:['’-]\w+)*", text)


def sentences(text: str) -> list[str]:
    """Pieces that end with a full stop, an exclamation or a question mark."""
    return [piece for piece in re.split(r"(?<=[.!?])\s+", text.strip()) if piece]


def lines(text: str) -> list[str]:
    """Lines that are not blank."""
    return [line for line in text.splitlines() if line.strip()]


def paragraphs(text: str) -> list[str]:
    """Pieces between blank lines."""
    return [piece for piece in re.split(r"\n\s*\n", text.strip()) if piece]


def bullets(text: str) -> list[str]:
    """Lines that begin with a bullet or a number."""
    return [line for line in text.splitlines() if re.match(r"\s*(?:[-*•]|\d+[.)])\s", line)]


def is_json(text: str) -> bool:
    """Is the text JSON?"""
    try:
        read_json(text)
    except ValueError:
        return False
    return True


HELPERS = (words, sentences, lines, paragraphs, bullets, is_json)
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{helper.__name__: helper for helper in HELPERS},
    **{f.__name__: f for f in (len, sum, min, max, any, all, sorted, set, list, abs, str, int, float, bool)},
}


def run_check(source: str, answer: str) -> bool:
    """Is the expression true of the answer?

    Raises:
        CheckError: it is not an expression of the allowed kind, fails, or takes too many steps.
    """
    if len(answer) > LONGEST:
        raise CheckError(f"the answer is longer than {LONGEST} characters")
    try:
        return bool(_Walk().value(ast.parse(source.strip(), mode="eval").body, {"answer": answer}))
    except CheckError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CheckError(f"not a check: {error}") from error
    except Exception as error:
        raise CheckError(f"{type(error).__name__}: {error}") from error


class _Walk:
    """Evaluates nodes and counts them."""

    def __init__(self) -> None:
        self.steps = 0

    def value(self, node: ast.AST, names: Mapping[str, Any]) -> Any:
        self.steps += 1
        if self.steps > STEPS:
            raise CheckError(f"the check takes more than {STEPS} steps")
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as constant):
                return constant
            case ast.Name(id=name) if name in names:
                return names[name]
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return [self.value(part, names) for part in parts]
            case ast.BoolOp(op=op, values=parts):
                stop = isinstance(op, ast.Or)
                return next((v for part in parts if bool(v := self.value(part, names)) == stop), not stop)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand, names)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand, names)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                a, b = self.value(left, names), self.value(right, names)
                if not (isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a) + abs(b) < 1e15):
                    raise CheckError("arithmetic is for numbers below 1e15")
                return BINARY[type(op)](a, b)
            case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in COMPARE for op in ops):
                sides = self.paid([self.value(side, names) for side in (left, *rest)])
                pairs = zip(ops, sides, sides[1:], strict=False)
                return all(COMPARE[type(op)](a, b) for op, a, b in pairs)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.value(test, names) else other, names)
            case ast.Subscript(value=of, slice=ast.Slice(lower=low, upper=high, step=None)):
                bounds = [None if bound is None else self.value(bound, names) for bound in (low, high)]
                (whole,) = self.paid([self.value(of, names)])
                return whole[slice(*bounds)]
            case ast.Subscript(value=of, slice=index):
                return self.value(of, names)[self.value(index, names)]
            case ast.ListComp(elt=element, generators=loops) | ast.GeneratorExp(elt=element, generators=loops):
                return [self.value(element, inner) for inner in self.loop(loops, names)]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*self.paid([self.value(arg, names) for arg in args]))
            case ast.Call(func=ast.Attribute(value=of, attr=name), args=args, keywords=[]) if name in METHODS:
                thing, *given = self.paid([self.value(part, names) for part in (of, *args)])
                if not isinstance(thing, (str, list)):
                    raise CheckError(f"{name} is a method of texts and lists")
                return getattr(thing, name)(*given)
        raise CheckError(f"not allowed in a check: {ast.unparse(node)[:60]}")

    def loop(self, loops: list[ast.comprehension], names: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The names inside a comprehension, turn by turn."""
        if not loops:
            yield names
            return
        first, *rest = loops
        if not isinstance(first.target, ast.Name) or first.is_async:
            raise CheckError("a loop has one plain name")
        for item in self.value(first.iter, names):
            inner = {**names, first.target.id: item}
            if all(self.value(test, inner) for test in first.ifs):
                yield from self.loop(rest, inner)

    def paid(self, values: list[Any]) -> list[Any]:
        """Values that something is about to be done with: a step for every hundred characters and parts in them.

        A part that stands in a list twice is paid for twice, since it is written or compared twice.
        """
        rest, size = list(values), 0
        while rest:
            value = rest.pop()
            if isinstance(value, (str, list, set)):
                size += len(value)
            if size > 100 * (STEPS - self.steps):
                raise CheckError(f"the check takes more than {STEPS} steps")
            if isinstance(value, (list, set)):
                rest += value
        self.steps += size // 100
        return values
