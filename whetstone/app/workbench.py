"""One run with everything wired: the store, the model behind it, a seed, a budget and the progress bar."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from whetstone.app.console import Console
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.meter import Meter, Metered
from whetstone.core import errors
from whetstone.core.errors import LimitReached
from whetstone.core.flow import Driven, Flow, Ledger, drive
from whetstone.core.types import Failure, Model
from whetstone.store.runs import Run
from whetstone.store.store import Store, open_store

T = TypeVar("T")

# What speaks against one method on this model; a full disk or a spent budget speaks against going on.
UNFIT = (errors.Abstain, errors.ConfigError, errors.ModelError, errors.TaskError)


@dataclass
class Workbench:
    """What a verb works with. It is a `Runner`: call it with a phase's name and its flows.

    `ledger` and `seconds` sum what all phases spent, from the store or not; `meter` holds what was paid for;
    `failures` counts the flows that raised, by error.
    """

    store: Store
    run: Run
    model: Model
    seed: int
    console: Console
    budget: int | None = None
    meter: Meter = field(default_factory=Meter)
    ledger: Ledger = field(default_factory=Ledger)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __call__(
        self,
        name: str,
        flows: Mapping[str, Flow[T]],
        *,
        model: Model | None = None,
        flow_budget: int | None = None,
        label: str = "",
    ) -> Driven[T]:
        """Drive flows under a phase's name; failures are recorded, results come back under the keys given.

        Two phases of one name share their seeds, and so every reply to a request that both make. `label` tells them
        apart for the reader.

        Raises the flows' own WhetstoneError when a setting was wrong or when not one of them succeeded.
        """
        left = None if self.budget is None else max(1, self.budget - self.ledger.total)
        label = label or name
        with self.console.progress(label, self.meter.note) as progress:
            driven = drive(
                ((f"{name}/{key}", flow) for key, flow in flows.items()),
                {"policy": model or self.model},
                seed=self.seed,
                budget=left,
                flow_budget=flow_budget,
                progress=progress,
            )
        self.seconds += driven.seconds
        self._book(driven.ledger)
        start = len(name) + 1
        failures = {key[start:]: failure for key, failure in driven.failures.items()}
        self._record(label, failures, succeeded=bool(driven.results))
        results = {key[start:]: value for key, value in driven.results.items()}
        spent = {key[start:]: tokens for key, tokens in driven.spent.items()}
        return Driven(results, failures, driven.ledger, spent, driven.seconds)

    def _book(self, ledger: Ledger) -> None:
        for role, tokens in ledger.prompt.items():
            self.ledger.prompt[role] = self.ledger.prompt.get(role, 0) + tokens
        for role, tokens in ledger.completion.items():
            self.ledger.completion[role] = self.ledger.completion.get(role, 0) + tokens
        self.ledger.requests += ledger.requests

    def _record(self, name: str, failures: Mapping[str, Failure], *, succeeded: bool) -> None:
        if not failures:
            return
        self.run.add_many("failure", ((f"{name}/{key}", failure) for key, failure in failures.items()))
        for failure in failures.values():
            self.failures[failure.error] = self.failures.get(failure.error, 0) + 1
        first = next((f for f in failures.values() if f.error == "ConfigError"), next(iter(failures.values())))
        if succeeded and first.error != "ConfigError":
            return
        kind = _known(errors.WhetstoneError).get(first.error)
        if kind is None:
            raise RuntimeError(f"all {len(failures)} flows of {name} failed; the first one:\n{first.traceback}")
        raise kind(first.message)


def _known(kind: type[errors.WhetstoneError]) -> dict[str, type[errors.WhetstoneError]]:
    """An error and all that derive from it, those of the loaded backends among them, by name."""
    found = {kind.__name__: kind}
    for derived in kind.__subclasses__():
        found |= _known(derived)
    return found


@contextmanager
def workbench(
    command: str,
    params: Mapping[str, Any],
    *,
    model: Model,
    seed: int = 0,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    store: str | Path = "runs",
    resume: str | None = None,
    console: Console | None = None,
) -> Iterator[Workbench]:
    """Open a store, begin or resume a run, and put the model behind the store.

    Args:
        command: the verb; `params` its settings as JSON (with `argv` when it came from the command line).
        budget: cap on all tokens of the run, also of those that come from the store.
        limits: the most that the run may pay for, what it paid for before it was resumed included.
        store: folder of the run database.
        resume: a run to go on with; its stored replies are replayed, so nothing is asked twice.

    Raises:
        LimitReached: at the limits. The run is left resumable, as it is by Ctrl-C, whose KeyboardInterrupt then carries
            the command that resumes it.
    """
    folder = Path(store)
    meter = Meter.of(model.name, limits)
    with open_store(folder) as opened:
        run = opened.resume(resume) if resume else opened.begin(command, params, seed)
        try:
            meter.carry(opened.accounts(run.id))
            metered = opened.cached(Metered(model, meter), run)
            bench = Workbench(opened, run, metered, seed, console or Console(quiet=True), budget, meter)
            yield bench
        except KeyboardInterrupt:
            raise KeyboardInterrupt(resume_command(run, folder)) from None
        except LimitReached as error:
            more = " ".join(f"{flag} MORE" for flag in limits.flags)
            raise LimitReached(f"{error}; all is kept, go on with: {resume_command(run, folder)} {more}") from None
        run.finish()
        if meter.asked:
            bench.console.say(meter.sentence())


def resume_command(run: Run, folder: Path) -> str:
    """The command line that goes on with a run."""
    where = "" if folder == Path("runs") else f" --store {shlex.quote(str(folder))}"
    return f"whetstone runs resume {run.id}{where}"
