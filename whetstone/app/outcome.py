"""What the steps found, put together: the `Result`, its file and its report."""

from __future__ import annotations

import os
import platform
import resource
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from whetstone import __version__
from whetstone.app.console import Console
from whetstone.app.plan import Plan
from whetstone.app.report import write_report
from whetstone.app.result import Cost, ModelCard, Provenance, Result, SignalRow, Step, TaskCard, encode
from whetstone.app.steps.audit import Audit
from whetstone.app.steps.baseline import Baseline
from whetstone.app.steps.can_improve import CanImprove
from whetstone.app.steps.know import Know
from whetstone.app.steps.sharpen import Sharpen
from whetstone.app.steps.verdict import Verdict
from whetstone.app.workbench import Workbench
from whetstone.core.errors import StoreError
from whetstone.core.types import Model, Task
from whetstone.tasks.load import TASKS

if TYPE_CHECKING:
    from whetstone.app.steps.train import Train

TRAINABLE = ("logprobs", "optimizer", "parameters", "changed", "state", "load_state", "save", "encode_length")
RESULT, REPORT = "result.json", "report.html"


def trainable(model: Model) -> bool:
    """Whether a model has what training needs."""
    return all(hasattr(model, name) for name in TRAINABLE)


def size(model: Model) -> int | None:
    """Number of weights, where the model has its network at hand."""
    network = getattr(model, "net", None)
    return None if network is None else sum(weights.numel() for weights in network.parameters())


@dataclass
class Found:
    """What the steps of one run have measured so far."""

    bench: Workbench
    task: Task
    model: Model
    folder: Path
    seeds: tuple[int, ...]
    plan: Plan | None = None
    baseline: Baseline | None = None
    know: Know | None = None
    audit: Audit | None = None
    gap: CanImprove | None = None
    sharpen: Sharpen | None = None
    train: Train | None = None
    verdict: Verdict | None = None
    stopped: str = ""

    def result(self, steps: Sequence[Step], seconds: float) -> Result:
        """Everything as one value; steps that were not reached are empty."""
        train, verdict, base = self.train, self.verdict, self.baseline
        arms = train.arms if train else ()
        left_out = "; ".join(train.left_out) if train else ""
        return Result(
            self.provenance(),
            self.task_card(),
            self.model_card(),
            tuple(steps),
            base.k if base else 0,
            base.temperature if base else None,
            base.rows if base else (),
            self.signal_rows(),
            self.audit.rows if self.audit else (),
            self.gap.prediction if self.gap else None,
            self.sharpen.rows if self.sharpen else (),
            arms,
            verdict.conclusion if verdict else None,
            self.cost(seconds),
            train.limits if train else (),
            verdict.sentence if verdict else (steps[-1].sentence if steps else ""),
            complete=not (self.stopped or left_out),
            stopped=self.stopped or left_out,
        )

    def signal_rows(self) -> tuple[SignalRow, ...]:
        """The signals; the one behind the main arm's filter is marked as trusted if it was kept."""
        if self.know is None:
            return ()
        used = next((arm.signal for arm in self.train.arms if arm.main), "") if self.train else ""
        return tuple(replace(row, trusted=row.kept and row.name == used) for row in self.know.rows)

    def provenance(self) -> Provenance:
        """What is needed to make the same result again."""
        run = self.bench.run
        argv = run.params.get("argv")
        words = ["whetstone", "improve", *map(str, argv)] if isinstance(argv, list) else []
        settings = {name: value for name, value in run.params.items() if name not in ("argv", "fingerprint", "plan")}
        return Provenance(
            run.id,
            shlex.join(words) or f"whetstone.improve({self.task.name!r}, {self.model.name!r})",
            __version__,
            {name: version for name, version in run.versions.items() if name not in ("whetstone", "platform")},
            {"weights": self.model.fingerprint},
            self.seeds,
            run.started,
            f"{run.versions.get('platform', platform.platform())}, {os.cpu_count()} cores",
            {**settings, "plan": encode(self.plan)},
        )

    def task_card(self) -> TaskCard:
        """The task and how many questions of each split were asked."""
        sizes = {"train": self.plan.pool, "dev": self.plan.dev, "test": self.plan.test} if self.plan else {}
        levels = self.baseline.levels if self.baseline else ()
        about = TASKS.get(self.task.name.partition(":")[0], type(self.task)).__doc__ or ""
        return TaskCard(self.task.name, about.strip().split("\n")[0], levels, sizes)

    def model_card(self) -> ModelCard:
        """The model, with what it says of itself where it does."""
        return ModelCard(
            self.model.name,
            self.model.fingerprint,
            size(self.model),
            getattr(self.model, "description", ""),
            getattr(self.model, "license", ""),
            self.train.fingerprint if self.train else None,
            self.train.saved if self.train else None,
        )

    def cost(self, seconds: float) -> Cost:
        """Tokens, requests and seconds of the whole run."""
        ledger = self.bench.ledger
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Cost(
            seconds,
            dict(ledger.prompt),
            dict(ledger.completion),
            trained=self.train.tokens if self.train else 0,
            requests=ledger.requests,
            replayed=self.bench.store.traffic.hits,
            budget=self.bench.budget,
            paid=self.bench.meter.tokens,
            money=self.bench.meter.cost,
            currency=self.bench.meter.price.currency if self.bench.meter.price else "",
            peak_memory=memory,
        )


def write(result: Result, folder: Path, console: Console) -> None:
    """Write `result.json` and `report.html`. Raises StoreError when the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f"{RESULT}.half-written"
        half.write_text(result.to_json(), encoding="utf-8")
        os.replace(half, folder / RESULT)
        write_report(result, folder / REPORT)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{folder}: the result cannot be written ({reason}); free some space, then resume") from error
    console.say(f"\nResult: {folder / RESULT}   Report: {folder / REPORT}")
