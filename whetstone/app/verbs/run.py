"""One method on a task and a model; its flags are its options.

A signal is tested for telling right from wrong, a judge against the exact check, a strategy for its accuracy, an audit
and a study print their findings, a loop trains, a guard looks at the rounds of a stored run (--run), a table works on
a file (--data).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whetstone.app.console import Console, emit, interval, p_value
from whetstone.app.flags import (
    add_common,
    add_method_flags,
    add_store,
    find_method,
    method_options,
    positive,
    run_settings,
)
from whetstone.app.grading import questions, sampled
from whetstone.app.material import cases, pairs
from whetstone.app.method_data import findings_of
from whetstone.app.result import decode
from whetstone.app.steps import know
from whetstone.app.verbs import solve, train
from whetstone.app.workbench import Workbench, workbench
from whetstone.core.errors import ConfigError
from whetstone.core.registry import Method, load
from whetstone.core.types import TIE, Alarm, Finding, Round, Task, Verdict
from whetstone.models.load import load_model
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import proportion
from whetstone.store.store import open_store
from whetstone.tasks.load import load_task


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("name", help="a method's name; whetstone list knows them")
    known = find_method(argv[0]) if argv and not argv[0].startswith("-") else None
    if known and known.kind in ("guard", "monitor"):
        parser.add_argument("--run", default="last", help="the stored run whose rounds are looked at (default last)")
        parser.add_argument("--rounds", default="", help="only rounds whose name begins so, such as agreement/0")
        add_store(parser)
    elif known and known.kind == "loop":
        train.shared(parser)
    elif known and known.kind == "table":
        parser.add_argument(
            "--data",
            required=True,
            type=Path,
            metavar="FILE",
            help="its arguments: a .json object by name, or a table with a column for each",
        )
    else:
        add_common(parser)
        parser.add_argument("--samples", type=positive, default=8, help="samples a question (default 8)")
        parser.add_argument("--tokens", type=positive, help="cap on a question's tokens, for strategies")
    if known:
        add_method_flags(parser, known)


def main(args: argparse.Namespace) -> None:
    known = find_method(args.name)
    if known.kind == "ranking":
        raise ConfigError(f"{known.name} works on data, not on a model: see whetstone show {known.name}")
    options = method_options(args, known)
    console = Console(sys.stderr if args.json else sys.stdout)
    if known.kind in ("guard", "monitor"):
        look(args, known, options, console)
    elif known.kind == "loop":
        train.run(args, known, options, console)
    elif known.kind == "table":
        found = findings_of(known, args.data, **options)
        emit(found) if args.json else show_findings(console, found)
    else:
        ask(args, known, options, console)


def ask(args: argparse.Namespace, known: Method, options: dict[str, Any], console: Console) -> None:
    """Run a signal, judge, strategy, audit or study on a task's questions."""
    task, model = load_task(args.task), load_model(args.model, device=args.device)
    params = {"task": task.name, "model": model.name, "method": known.name, "argv": args.argv, **options}
    with workbench("run", params, model=model, **run_settings(args, console)) as bench:
        if known.kind == "strategy":
            found = solve.run(bench, task, known.name, options, n=args.limit, split=args.split, tokens=args.tokens)
            emit(found) if args.json else solve.show(console, [found])
            return
        if known.kind == "signal":
            rows = signal(bench, task, known, options, args)
            emit(rows) if args.json else know.show(console, rows)
            return
        findings = gather_findings(bench, task, known, options, args)
        bench.run.add_many("finding", ((f.name, f) for f in findings))
    emit(findings) if args.json else show_findings(console, findings)


def signal(bench: Workbench, task: Task, known: Method, options: dict[str, Any], args: argparse.Namespace) -> know.Know:
    """A signal on sampled answers, tested against right and wrong."""
    examples = questions(task, args.split, args.limit, seed=args.seed)
    answered = sampled(bench, "samples", task, examples, k=args.samples, logprobs=True)
    function = load(known.name, known.kind)
    driven = bench(known.name, {s.example.id: function(task, s.example, s.candidates, **options) for s in answered})
    reasons: know.Reasons = know.Reasons()
    scored = know.collect(known.name, answered, driven, reasons)
    rows = know.judge([scored])
    bench.run.add("signal", known.name, rows[0])
    return know.Know(rows, know.sentence(rows), dict(reasons))


def gather_findings(
    bench: Workbench, task: Task, known: Method, options: dict[str, Any], args: argparse.Namespace
) -> list[Finding]:
    """The findings of a judge, an audit or a study."""
    function = load(known.name, known.kind)
    if known.kind == "study":
        found: list[Finding] = function(bench.model, task, bench, **options)
        return found
    answered = sampled(
        bench,
        "samples",
        task,
        questions(task, args.split, args.limit, seed=args.seed),
        k=args.samples,
        logprobs=True,
    )
    if known.kind == "audit":
        driven = bench(known.name, {"audit": function(task, cases(answered), **options)})
        return list(driven.results["audit"])
    material = pairs(answered)
    judged = bench(
        known.name,
        {m.example.id: function(task, m.example, m.candidates[0], m.candidates[1], **options) for m in material},
    )
    verdicts = [(m, judged.results[m.example.id]) for m in material if m.example.id in judged.results]
    return agreement(verdicts, [tuple(m.correct) for m, _ in verdicts])


def agreement(verdicts: Sequence[tuple[Any, Verdict]], correct: Sequence[Sequence[bool | None]]) -> list[Finding]:
    """How often a judge prefers the right answer of a right and a wrong one, ties, and the same in both orders."""
    right: list[float] = []
    for (case, verdict), marks in zip(verdicts, correct, strict=True):
        if marks[0] != marks[1] and verdict.choice is not None:
            better = case.candidates[0 if marks[0] else 1].id
            right.append(0.5 if verdict.choice == TIE else float(verdict.choice == better))
    read = [float(verdict.choice is not None) for _, verdict in verdicts]
    same = [float(len({v.choice for v in verdict.orders}) == 1) for _, verdict in verdicts if verdict.orders]
    return [
        finding("prefers the right answer (ties half)", proportion(right)),
        finding("the same in both orders", proportion(same)),
        finding("readable", proportion(read)),
    ]


def look(args: argparse.Namespace, known: Method, options: dict[str, Any], console: Console) -> None:
    """A guard or monitor on the rounds of a stored run."""
    if not (Path(args.store) / "store.db").exists():
        raise ConfigError(f"--store {args.store}: no runs are stored there; train first")
    with open_store(Path(args.store)) as store:
        run = store.show(args.run).run
        stored = [(key, decode(Round, value, key)) for key, value in run.read("round") if key.startswith(args.rounds)]
    names = sorted({key.rpartition("/")[0] for key, _ in stored})
    if len(names) != 1:
        what = f"rounds of {', '.join(names)}; choose one with --rounds" if names else "no rounds of that name"
        raise ConfigError(f"run {run.id} holds {what}")
    found: Alarm | list[Finding] | None = load(known.name, known.kind)([r for _, r in stored], **options)
    if args.json:
        emit(found)
    elif isinstance(found, list):
        show_findings(console, found)
    else:
        console.say(f"{found.guard}: {found.message}" if found else f"{known.name}: no alarm in {len(stored)} rounds.")


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """One row a finding, with its interval, n and verdict."""
    rows = [
        [f.name, str(f.n), interval(f.estimate, f.interval), interval(f.null, None), p_value(f.p), f.verdict]
        for f in findings
    ]
    console.table(["finding", "n", "estimate", "if nothing", "p", "verdict"], rows)
