"""Which self-signals separate right from wrong answers here: AUROC, calibration, risk-coverage, with intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whetstone.app.console import Console, emit, interval, number
from whetstone.app.flags import add_common, find_method, positive, run_settings
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.plan import Plan
from whetstone.app.result import SignalRow
from whetstone.app.steps import know as step
from whetstone.app.workbench import workbench
from whetstone.core.types import Model, Task
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task

SHOWN = (0.2, 0.4, 0.6, 0.8, 1.0)


def know(
    task: Task | str,
    *,
    model: Model | str,
    signals: Sequence[str] | None = None,
    n: int = 100,
    k: int = 8,
    seed: int = 0,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    store: str | Path = "runs",
    resume: str | None = None,
    device: str = "auto",
    argv: list[str] | None = None,
    console: Console | None = None,
) -> step.Know:
    """Measure signals on k sampled answers to each of n dev questions.

    Args:
        signals: names; None for all that are registered.
        budget: cap on all tokens used.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        store: folder of the run database.
        resume: a run to go on with.

    Raises:
        ConfigError: an unknown name.
    """
    task = load_task(task) if isinstance(task, str) else task
    names = None if signals is None else [find_method(name, "signal").name for name in signals]
    model = load_model(model, device=device) if isinstance(model, str) else model
    params = {"task": task.name, "model": model.name, "signals": names, "n": n, "k": k, "argv": argv}
    with workbench(
        "know",
        params,
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
        console=console,
    ) as bench:
        found = step.measure(bench, task, Plan(dev=n, k=k), names)
        bench.run.add_many("signal", ((row.name, row) for row in found.rows))
    return found


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    add_common(parser)
    parser.add_argument("--signals", help="names, separated by commas (default: all)")
    parser.add_argument("--k", type=positive, default=8, help="samples a question (default 8)")


def main(args: argparse.Namespace) -> None:
    console = Console(sys.stderr if args.json else sys.stdout)
    found = know(
        args.task,
        model=args.model,
        signals=args.signals.split(",") if args.signals else None,
        n=args.limit,
        k=args.k,
        device=args.device,
        argv=args.argv,
        **run_settings(args, console),
    )
    if args.json:
        emit(found)
        return
    step.show(console, found)
    kept = [row for row in found.rows if row.coverage]
    if kept:
        rows = [[row.name, *(risk_at(row, coverage) for coverage in SHOWN)] for row in kept]
        console.table(
            ["error rate among the surest", *(f"{c:.0%}" for c in SHOWN)], rows, caption="on the half not calibrated on"
        )


def risk_at(row: SignalRow, coverage: float) -> str:
    """The risk at the first coverage that reaches the wanted one."""
    point = next((p for p in row.coverage if p.coverage >= coverage - 1e-9), None)
    return interval(point.risk.value, point.risk.interval) if point else number(None)
