"""Building signals, and asking about each distinct text once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import TypeVar

from whetstone.core.errors import Abstain
from whetstone.core.flow import Flow, gather
from whetstone.core.types import Candidate, Json, Kind, Signal

T = TypeVar("T")


def known(
    method: str,
    value: float,
    kind: Kind = "score",
    *,
    n: int = 1,
    stderr: float | None = None,
    interval: tuple[float, float] | None = None,
    **provenance: Json,
) -> Signal:
    """A measured value; `provenance` says how it was measured."""
    return Signal(value, kind, n, stderr, interval, provenance={"method": method, **provenance})


def unknown(method: str, reason: str, kind: Kind = "score", *, n: int = 0, **provenance: Json) -> Signal:
    """No value, and the reason why."""
    return Signal(None, kind, n, abstained=reason, provenance={"method": method, **provenance})


def mean_signal(method: str, values: Sequence[float], kind: Kind, asked: int, **provenance: Json) -> Signal:
    """The mean of repeated readings with its standard error; of `asked` replies the rest were unreadable."""
    if not values:
        return unknown(method, "unreadable reply" if asked == 1 else f"{asked} unreadable replies", kind, n=0)
    stderr = stdev(values) / sqrt(len(values)) if len(values) > 1 else None
    told: dict[str, Json] = {"method": method, "unreadable": asked - len(values), **provenance}
    return Signal(fmean(values), kind, len(values), stderr, provenance=told)


def each_text(candidates: Sequence[Candidate], ask: Callable[[str], Flow[T]]) -> Flow[list[T]]:
    """Run `ask` once for every distinct text, side by side, and give each candidate the result of its own text."""
    texts = list(dict.fromkeys(candidate.text for candidate in candidates))
    results = dict(zip(texts, (yield from gather(ask(text) for text in texts)), strict=True))
    return [results[candidate.text] for candidate in candidates]


def or_unknown(method: str, flow: Flow[Signal], kind: Kind = "score") -> Flow[Signal]:
    """Run a flow for one candidate; if it abstains, its neighbours keep their values."""
    try:
        return (yield from flow)
    except Abstain as reason:
        return unknown(method, str(reason) or type(reason).__name__, kind)
