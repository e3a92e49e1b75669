"""The main job: measure a model on a task, audit its signals, improve it with what holds up, and report."""

from __future__ import annotations

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, cast

from whetstone.app import outcome
from whetstone.app.console import Console
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.plan import Plan, fit
from whetstone.app.result import Result
from whetstone.app.steps import audit, baseline, can_improve, know, sharpen, verdict
from whetstone.app.steps.recorded import Steps
from whetstone.app.workbench import Workbench, workbench
from whetstone.core.errors import BudgetExceeded, ConfigError
from whetstone.core.types import Model, Task
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task

if TYPE_CHECKING:
    from whetstone.loops.trainable import Trainable


def improve(
    task: Task | str,
    model: Model | str,
    *,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    time: float | None = None,
    seeds: int = 1,
    train: bool = True,
    resume: str | None = None,
    out: str | Path | None = None,
    store: str | Path = "runs",
    device: str = "auto",
    plan: Plan | None = None,
    argv: list[str] | None = None,
    console: Console | None = None,
) -> Result:
    """Run the seven steps and write `result.json` and `report.html`.

    Args:
        task: a task or its spec (`ledger:levels=5-8`, a file).
        model: a model or its spec (`grit`, `hf/FOLDER`).
        budget: cap on all tokens; the plan is scaled to it and no step goes beyond it.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        time: seconds that the run should take; the plan is scaled to it, and arms that no longer fit are left out.
        seeds: how often the training arms are repeated.
        train: whether weights are trained (a model that cannot be trained skips the step, and says so).
        resume: a run to go on with; finished steps are read back, stored replies are not asked again.
        out: folder of the result (default: a folder of the run's id in the store's).
        store: folder of the run database.
        plan: sizes of the steps; default: the full plan, scaled to `budget` and `time`.
        argv: the command line, kept for `whetstone runs resume`.
        console: where tables go; None prints nothing.

    Returns:
        Everything that was measured. The model is left with its original weights; improved ones are in the folder.

    Raises:
        ConfigError: a wrong name or number, or a resumed run that belongs to another model or task.
    """
    task = load_task(task) if isinstance(task, str) else task
    model = load_model(model, device=device) if isinstance(model, str) else model
    if seeds < 1:
        raise ConfigError(f"--seeds must be at least 1, not {seeds}")
    if time is not None and time <= 0:
        raise ConfigError(f"--time must be above 0 seconds, not {time:g}")
    params = {
        "task": task.name,
        "model": model.name,
        "fingerprint": model.fingerprint,
        "budget": budget,
        "time": time,
        "seeds": seeds,
        "train": train,
        "plan": plan,
        "argv": argv,
    }
    with workbench(
        "improve", params, model=model, budget=budget, limits=limits, store=store, resume=resume, console=console
    ) as bench:
        check_same(bench, task, model)
        folder = Path(out) if out else Path(store) / bench.run.id
        deadline = None if time is None else clock.monotonic() + time
        result = run(bench, task, model, plan, seeds, train, time, deadline, folder)
        outcome.write(result, folder, bench.console)
        return result


def run(
    bench: Workbench,
    task: Task,
    model: Model,
    plan: Plan | None,
    seeds: int,
    train: bool,
    time: float | None,
    deadline: float | None,
    folder: Path,
) -> Result:
    """The seven steps, each recorded when it is complete."""
    began = clock.monotonic()
    steps = Steps(bench)
    found = outcome.Found(bench, task, model, folder, tuple(range(seeds)))
    try:
        found.plan = steps.once("plan", Plan, lambda: plan or fit(bench, task, seeds=seeds, train=train, time=time))[0]
        sizes = found.plan

        base = found.baseline = steps(
            "baseline",
            "what can it do?",
            baseline.Baseline,
            lambda: baseline.measure(bench, task, sizes),
            baseline.show,
        )
        known = found.know = steps(
            "know",
            "which of its signals tell right from wrong?",
            know.Know,
            lambda: know.measure(bench, task, sizes),
            know.show,
        )
        audited = found.audit = steps(
            "audit",
            "may its judgement be trusted?",
            audit.Audit,
            lambda: audit.measure(bench, task, sizes),
            audit.show,
        )
        found.gap = steps(
            "gap",
            "can it improve by itself?",
            can_improve.CanImprove,
            lambda: can_improve.measure(bench, task, sizes, base),
            can_improve.show,
        )
        trusted = [name for name in known.kept if audited.trusts(name)]
        sharpened = found.sharpen = steps(
            "sharpen",
            "which strategy is worth its tokens?",
            sharpen.Sharpen,
            lambda: sharpen.measure(bench, task, sizes, base.levels, trusted),
            sharpen.show,
        )
        trained = None
        if not train or not outcome.trainable(model):
            steps.announce("train", "left out")
            bench.console.say(
                "The weights stay as they are" + ("." if not train else f": {model.name} cannot be trained.")
            )
        else:
            from whetstone.app.steps import train as training

            trained = found.train = steps(
                "train",
                "does it learn from its own answers?",
                training.Train,
                lambda: training.measure(
                    steps, bench, task, cast("Trainable", model), sizes, base, found.seeds, folder, deadline
                ),
                training.show,
            )
        found.verdict = steps(
            "verdict",
            "what came of it?",
            verdict.Verdict,
            lambda: verdict.measure(
                bench,
                task,
                sizes,
                base.levels,
                base.answers,
                trained.answers if trained else (),
                found.seeds,
                trained.subject if trained else f"the strategy {sharpened.recommended.name}",
                sharpened.recommended,
            ),
            verdict.show,
        )
    except BudgetExceeded:
        found.stopped = f"the budget of {bench.budget} tokens is spent after {bench.ledger.total}"
    return found.result(steps.done, clock.monotonic() - began)


def check_same(bench: Workbench, task: Task, model: Model) -> None:
    """Raises ConfigError when a resumed run belongs to another task or model."""
    params = bench.run.params
    for name, now in (("task", task.name), ("model", model.name), ("fingerprint", model.fingerprint)):
        if params.get(name) != now:
            raise ConfigError(f"run {bench.run.id} has the {name} {params.get(name)}, not {now}; start a new run")
