"""A training loop, round by round, with held-out accuracy before and after and guards that roll back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from whetstone.app.console import Console, emit, interval, number, p_value
from whetstone.app.flags import add_common, add_method_flags, find_method, method_options, positive, run_settings
from whetstone.app.grading import greedy, levels, questions
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.outcome import trainable
from whetstone.app.plan import Plan
from whetstone.app.report.scatter import has_points, write_scatter
from whetstone.app.result import TrainingRound
from whetstone.app.steps.train import ArmPlan, Course, Trained
from whetstone.app.steps.verdict import difference
from whetstone.app.workbench import workbench
from whetstone.core.errors import ModelError
from whetstone.core.registry import Method
from whetstone.core.types import Json, Model, Task
from whetstone.loops.trainable import Trainable
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task


def train(
    task: Task | str,
    loop: str = "expert_iteration",
    *,
    model: Model | str,
    test: int = 200,
    seed: int = 0,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    out: str | Path | None = None,
    store: str | Path = "runs",
    resume: str | None = None,
    device: str = "auto",
    argv: list[str] | None = None,
    console: Console | None = None,
    **options: Json,
) -> Trained:
    """Run one loop; the model keeps the weights of the last round that no guard took back.

    Args:
        loop: its name; `options` are its keyword arguments.
        test: held-out questions answered before and after each round.
        budget: cap on all tokens used.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        out: folder of checkpoints and of the trained weights (default: a folder of the run's id in the store's).
        store: folder of the run database.
        resume: a run to go on with.

    Raises:
        ConfigError: an unknown name or option.
        ModelError: the model cannot be trained.
    """
    task = load_task(task) if isinstance(task, str) else task
    known = find_method(loop, "loop")
    model = load_model(model, device=device) if isinstance(model, str) else model
    if not trainable(model):
        raise ModelError(f"{model.name} cannot be trained; use grit or a local Hugging Face folder (hf/PATH)")
    params = {"task": task.name, "model": model.name, "loop": known.name, "test": test, "argv": argv, **options}
    with workbench(
        "train",
        params,
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
        console=console,
    ) as bench:
        folder = Path(out) if out else Path(store) / bench.run.id
        examples = questions(task, "test", test)
        before = greedy(bench, "held out before", task, examples)
        arm = ArmPlan(known.name, "label_free", known.summary, known.name, "", dict(options), main=True)
        weights: Trainable = model  # type: ignore[assignment]
        course = Course(bench, task, weights, Plan(test=test), levels(examples), before, folder, defaults={})
        return course.run(arm, seed)


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("loop", help="a loop's name; whetstone list loop knows them")
    shared(parser)
    if argv and not argv[0].startswith("-"):
        add_method_flags(parser, find_method(argv[0], "loop"))


def shared(parser: argparse.ArgumentParser) -> None:
    """The flags of every loop."""
    add_common(parser, limit=None)
    parser.add_argument("--test", type=positive, default=200, help="held-out questions (default 200)")
    parser.add_argument("--out", help="folder of the trained weights (default: a folder of the run's id)")


def main(args: argparse.Namespace) -> None:
    known = find_method(args.loop, "loop")
    run(args, known, method_options(args, known), Console(sys.stderr if args.json else sys.stdout))


def run(args: argparse.Namespace, known: Method, options: Mapping[str, Json], console: Console) -> None:
    """Train as the command line says, and print what came of it."""
    trained = train(
        args.task,
        known.name,
        model=args.model,
        test=args.test,
        out=args.out,
        device=args.device,
        argv=args.argv,
        **{**run_settings(args, console), **options},
    )
    drawn = pictures(trained, Path(args.out) if args.out else Path(args.store))
    if args.json:
        emit(trained)
    else:
        show(console, trained)
        for path in drawn:
            console.say(f"Drawn: {path}")


def pictures(trained: Trained, folder: Path) -> list[Path]:
    """A drawing of every finding with named points that the last round has."""
    drawn = []
    metrics = trained.run.rounds[-1].metrics if trained.run.rounds else {}
    for name, finding in metrics.items():
        if has_points(finding):
            drawn.append(folder / f"{name.replace(' ', '_')}.svg")
            write_scatter(finding, drawn[-1], title=str(finding.detail.get("title", name)))
    return drawn


def show(console: Console, trained: Trained) -> None:
    """Print one row a round and what came of it."""
    columns = ["round", "seen", "kept", "precision", "proxy", "held out", "alarms"]
    console.table(columns, [cells(row) for row in trained.run.rounds])
    rows = told(trained.run.rounds[-1]) if trained.run.rounds else []
    if rows:
        console.table(["measured", "n", "estimate", "p", "verdict"], rows)
    for pair in trained.run.levels:
        console.say(f"level {pair.level}: {difference(pair)}")
    console.say(f"All: {difference(trained.run.overall)}.")
    if trained.saved:
        console.say(f"Weights: {trained.saved}")


def told(row: TrainingRound) -> list[list[str]]:
    """The tests that a loop made besides, one row each."""
    return [
        [name, str(f.n), interval(f.estimate, f.interval), p_value(f.p), f.verdict]
        for name, f in row.metrics.items()
        if f.verdict
    ]


def cells(row: TrainingRound) -> list[str]:
    """A round as a row of the table."""
    measures = (row.precision, row.proxy, row.accuracy[0].greedy if row.accuracy else None)
    shown = [interval(m.value, m.interval) if m else number(None) for m in measures]
    alarms = "; ".join(f"{a.guard}: {a.message}" for a in row.alarms) + (" (rolled back)" if row.rolled_back else "")
    return [str(row.index), str(row.seen), str(row.kept), *shown, alarms]
