"""Putting pairs to a judge or signal named with its settings, as in `pairwise_judge:critiques=true`, and counting."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from whetstone.audits.evaluating import Pair, higher
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Flow, gather
from whetstone.core.registry import find, load, options
from whetstone.core.types import Case, Signal, Task, Verdict

T = TypeVar("T")


def settings_of(spec: str) -> tuple[str, dict[str, Any]]:
    """Name and options of `NAME:KEY=VALUE,KEY=VALUE`; values are Python literals, true, false or plain words.

    Semicolons part options too, for places where commas part methods.

    Raises:
        ConfigError: an option that the method does not have, or one without a value.
    """
    name, _, text = spec.partition(":")
    known, chosen = options(load(name)), {}
    for part in filter(None, re.split("[,;]", text)):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in known or not equals:
            raise ConfigError(f"{name} has no setting {part!r}; known: {', '.join(known)}")
        chosen[key] = literal(value)
    return name, chosen


def literal(text: str) -> Any:
    """A number, a truth value, or the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def counted(flow: Flow[T]) -> Flow[tuple[T, int]]:
    """A flow's result, and how many requests it made."""
    asked = 0
    try:
        batch = next(flow)
        while True:
            asked += len(batch)
            try:
                replies = yield batch
            except Exception as error:
                batch = flow.throw(error)
            else:
                batch = flow.send(replies)
    except StopIteration as stop:
        return stop.value, asked


def preferred(task: Task, asked: Sequence[Pair], spec: str) -> Flow[list[tuple[Verdict, int]]]:
    """What a judge, or a signal by its higher value, prefers in each pair, and the requests that each took."""
    name, chosen = settings_of(spec)
    kind = find(name).kind
    method = partial(load(name, kind), **chosen)
    if kind == "judge":
        return (yield from gather(counted(method(task, p.example, p.first, p.second)) for p in asked))
    if kind != "signal":
        raise ConfigError(f"{name} is a {kind}; a pair is put to a judge or a signal")
    values = yield from gather(counted(method(task, p.example, (p.first, p.second))) for p in asked)
    return [(higher(pair, *signals), n) for pair, (signals, n) in zip(asked, values, strict=True)]


def rated(task: Task, cases: Sequence[Case], spec: str) -> Flow[list[list[Signal]]]:
    """A signal's values for all candidates of all cases."""
    name, chosen = settings_of(spec)
    signal = load(name, "signal")
    values: list[list[Signal]] = yield from gather(
        signal(task, case.example, case.candidates, **chosen) for case in cases
    )
    return values
