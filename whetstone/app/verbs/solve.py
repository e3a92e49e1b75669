"""Answer a task's questions by one or more strategies, at the same tokens a question."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from whetstone.app.console import Console, count, emit, interval, p_value
from whetstone.app.flags import add_common, positive, run_settings, split_method
from whetstone.app.grading import Graded, answer_all, levels, questions
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.measure import average, by_level, paired, share
from whetstone.app.result import LevelMeasure, Measure, Paired
from whetstone.app.steps.sharpen import label
from whetstone.app.workbench import Workbench, workbench
from whetstone.core.registry import load
from whetstone.core.types import Json, Model, Task
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task


@dataclass(frozen=True)
class Solved:
    """A strategy's answers to a task's questions.

    Attributes:
        run: id in the store, for `compare` and `report`.
        accuracy: share of right answers among those graded; `levels` by difficulty.
        tokens: prompt plus completion of a question.
        abstained, failed: questions without a grade; why is counted in `reasons`.
        against: paired with the first strategy of the same call.
    """

    strategy: str
    run: str
    accuracy: Measure
    tokens: Measure
    levels: tuple[LevelMeasure, ...] = ()
    abstained: int = 0
    failed: int = 0
    unreadable: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    against: Paired | None = None
    answers: tuple[Graded, ...] = ()


def solve(
    task: Task | str,
    strategy: str = "greedy",
    *,
    model: Model | str,
    n: int = 100,
    split: str = "test",
    seed: int = 0,
    tokens: int | None = None,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    store: str | Path = "runs",
    resume: str | None = None,
    **options: Json,
) -> Solved:
    """Answer n questions by one strategy.

    Args:
        strategy: its name; `options` are its keyword arguments.
        tokens: cap on a question's tokens, prompt plus completion.
        budget: cap on all tokens used.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        store: folder of the run database.
        resume: a run to go on with.

    Raises:
        ConfigError: an unknown name or option.
    """
    task = load_task(task) if isinstance(task, str) else task
    model = load_model(model) if isinstance(model, str) else model
    params = {"task": task.name, "model": model.name, "strategy": strategy, "n": n, "split": split, "tokens": tokens}
    with workbench(
        "solve",
        {**params, **options},
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
    ) as bench:
        return run(bench, task, strategy, options, n=n, split=split, tokens=tokens)


def run(
    bench: Workbench,
    task: Task,
    strategy: str,
    options: Mapping[str, Json],
    *,
    n: int,
    split: str,
    tokens: int | None,
    first: Solved | None = None,
) -> Solved:
    """One strategy on an open workbench; outcomes are recorded."""
    examples = questions(task, split, n, seed=bench.seed)
    function, name = load(strategy, "strategy"), label(strategy, options)
    flows = {e.id: function(task, e, **options) for e in examples}
    graded, driven = answer_all(bench, f"solve {name}", task, flows, examples, flow_budget=tokens)
    bench.run.add_many("outcome", ((f"{name}/{g.id}", g) for g in graded))
    reasons: dict[str, int] = {}
    for outcome in driven.results.values():
        if outcome.confidence.abstained and not outcome.text and outcome.answer is None:
            reasons[outcome.confidence.abstained] = reasons.get(outcome.confidence.abstained, 0) + 1
    for failure in driven.failures.values():
        reasons[failure.error] = reasons.get(failure.error, 0) + 1
    groups = [g.group for g in graded]
    return Solved(
        name,
        bench.run.id,
        share([g.correct for g in graded], groups),
        average([float(g.tokens) for g in graded], groups),
        tuple(
            LevelMeasure(level, share([g.correct for g in part], [g.group for g in part]))
            for level, part in by_level(graded, lambda g: g.level, levels(examples))[1:]
        ),
        sum(g.correct is None for g in graded),
        len(driven.failures),
        sum(g.answer is None and g.correct is not None for g in graded),
        reasons,
        paired(first.answers, graded) if first else None,
        tuple(graded),
    )


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    add_common(parser)
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="NAME[:option=value,...]",
        help="repeat to compare several on the same questions (default greedy)",
    )
    parser.add_argument("--tokens", type=positive, help="cap on a question's tokens, the same for every strategy")


def main(args: argparse.Namespace) -> None:
    chosen = [split_method(text, "strategy") for text in args.strategy or ["greedy"]]
    task, model = load_task(args.task), load_model(args.model, device=args.device)
    console = Console(sys.stderr if args.json else sys.stdout)
    params = {"task": task.name, "model": model.name, "strategy": args.strategy, "limit": args.limit, "argv": args.argv}
    solved: list[Solved] = []
    with workbench("solve", params, model=model, **run_settings(args, console)) as bench:
        for known, options in chosen:
            first = solved[0] if solved else None
            solved.append(
                run(bench, task, known.name, options, n=args.limit, split=args.split, tokens=args.tokens, first=first)
            )
    if args.json:
        emit({"run": bench.run.id, "tokens": bench.ledger.total, "paid": bench.meter.paid(), "strategies": solved})
    else:
        show(console, solved)


def show(console: Console, solved: Sequence[Solved]) -> None:
    """Print one row a strategy and what to make of it."""
    columns = [
        "strategy",
        "n",
        "accuracy",
        "tokens a question",
        "unreadable",
        "abstained",
        "failed",
        "against first",
        "p",
    ]
    rows = [
        [
            s.strategy,
            str(s.accuracy.n),
            interval(s.accuracy.value, s.accuracy.interval),
            count(s.tokens.value),
            str(s.unreadable),
            str(s.abstained),
            str(s.failed),
            interval(s.against.difference.value, s.against.difference.interval) if s.against else "",
            p_value(s.against.p) if s.against else "",
        ]
        for s in solved
    ]
    console.table(columns, rows)
    if solved[0].levels:
        body = [
            [level.level, *(interval(s.levels[i].measure.value, s.levels[i].measure.interval) for s in solved)]
            for i, level in enumerate(solved[0].levels)
        ]
        console.table(["level", *(s.strategy for s in solved)], body)
    for s in solved:
        if s.reasons:
            console.say(f"{s.strategy}: " + "; ".join(f"{n} x {reason}" for reason, n in s.reasons.items()))
    console.say(f"Run {solved[0].run}. Next: whetstone compare, or whetstone runs show {solved[0].run}")
