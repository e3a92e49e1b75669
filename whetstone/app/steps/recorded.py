"""Steps that are done once: a finished one is recorded in the run and read back when the run is resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from whetstone.app.console import Console
from whetstone.app.result import Step, decode, encode
from whetstone.app.workbench import Workbench
from whetstone.core.flow import Ledger


class Measured(Protocol):
    """What every step returns."""

    @property
    def sentence(self) -> str:
        """The plain sentence at the end."""

    @property
    def abstentions(self) -> Mapping[str, int]:
        """How many abstained, by reason."""


NAMES = ("baseline", "know", "audit", "gap", "sharpen", "train", "verdict")

S = TypeVar("S", bound=Measured)
V = TypeVar("V")


@dataclass
class Steps:
    """The steps of one run, in order; `done` describes those that are finished."""

    bench: Workbench
    done: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._records = dict(self.bench.run.read("step"))

    def __call__(
        self, name: str, question: str, kind: type[S], work: Callable[[], S], show: Callable[[Console, S], None]
    ) -> S:
        """Do a step or read it back, print it, and return what it measured."""
        console = self.bench.console
        self.announce(name, question)
        before, failed = self.bench.ledger.total, dict(self.bench.failures)
        requests = self.bench.ledger.requests
        value, seconds = self.once(name, kind, work)
        failures = {
            error: n - failed.get(error, 0) for error, n in self.bench.failures.items() if n > failed.get(error, 0)
        }
        show(console, value)
        step = Step(
            name,
            seconds,
            self.bench.ledger.total - before,
            self.bench.ledger.requests - requests,
            value.sentence,
            failures,
            value.abstentions,
        )
        if failures:
            console.say(
                f"Failed: {', '.join(f'{n} {error}' for error, n in failures.items())}; see whetstone runs show."
            )
        self.done.append(step)
        return value

    def announce(self, name: str, question: str) -> None:
        """Print a step's number and name."""
        self.bench.console.heading(f"{NAMES.index(name) + 1}/{len(NAMES)} {name}: {question}")

    def once(self, key: str, kind: type[V], work: Callable[[], V]) -> tuple[V, float]:
        """Work or its recorded value, with the seconds that it took; the ledger is as after the work either way."""
        record = cast("dict[str, Any] | None", self._records.get(key))
        if record is not None:
            self.bench.ledger.prompt = dict(record["prompt"])
            self.bench.ledger.completion = dict(record["completion"])
            self.bench.ledger.requests = record["requests"]
            self.bench.failures.clear()
            self.bench.failures.update(record["failures"])
            return cast(V, decode(kind, record["value"], key)), record["seconds"]
        began = time.monotonic()
        value = work()
        seconds = time.monotonic() - began
        ledger: Ledger = self.bench.ledger
        record = {
            "value": encode(value),
            "prompt": ledger.prompt,
            "completion": ledger.completion,
            "requests": ledger.requests,
            "failures": self.bench.failures,
            "seconds": seconds,
        }
        self.bench.run.add("step", key, record)
        return value, seconds
