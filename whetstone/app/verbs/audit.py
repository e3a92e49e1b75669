"""May this judge be trusted? Audit a judge on a model and a task, or a file of its verdicts.

  whetstone audit verdicts.jsonl                      a file: position, length, agreement with the labels in it ...
  whetstone audit --model grit --task ledger:levels=2-9 --judge pairwise_judge     live: probes as well

A file is one of whetstone judge, or of any format in docs/verdicts.md. The options of a live judge are flags.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from whetstone.app.auditing import Audited, audit_recorded, gated
from whetstone.app.auditing_text import show
from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, count, emit
from whetstone.app.flags import (
    add_limits,
    add_method_flags,
    add_store,
    find_method,
    method_options,
    pairs,
    parts,
    positive,
    run_settings,
    split_method,
    value_of,
    wrong,
)
from whetstone.app.judging import write_rows
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.live_audit import USUAL, Plan, audit_live, cases_of
from whetstone.app.outputs import OutputTask, read_outputs
from whetstone.app.recorded_verdicts import read_recorded
from whetstone.app.steps.sharpen import label
from whetstone.app.trust import RULES, USES, Rule, with_limits
from whetstone.app.verdict_files.flags import add_unsaid, unsaid
from whetstone.app.verdict_files.options import Given
from whetstone.app.verdict_files.reading import FORMATS, UnknownFormat
from whetstone.app.workbench import workbench
from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Model, Task
from whetstone.models.load import load_model
from whetstone.tasks.load import load_task

DEFAULT = "pairwise_judge"


def audit(
    task: Task | str,
    judge: str = DEFAULT,
    *,
    model: Model | str,
    plan: Plan = USUAL,
    own: str = "",
    columns: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    out: str | Path | None = None,
    rules: Sequence[Rule] = RULES,
    name: str = "",
    seed: int = 0,
    budget: int | None = None,
    limits: Limits = NO_LIMITS,
    store: str | Path = "runs",
    resume: str | None = None,
    device: str = "auto",
    argv: list[str] | None = None,
    console: Console | None = None,
    **options: Any,
) -> Audited:
    """Audit a judge live.

    Args:
        task: whose questions the model answers and whose verifier labels the answers; or a file of outputs to judge,
            with labels if there are any, for `read_outputs` (with `columns`, `outputs`).
        judge: a judge, or a signal; `options` are its keyword arguments.
        plan: how much is asked.
        own: the source whose answers are the judge's own.
        out: write the verdicts to this file.
        rules: what to ask of a judge.
        name: what to call the judge.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        store: folder of the run database; `resume`: a run to go on with.

    Raises:
        ConfigError: an unknown name or option.
        Abstain: the judge answers nothing, or no question has answers to tell apart.
    """
    known = find_method(judge, "judge", "signal")
    model = load_model(model, device=device) if isinstance(model, str) else model
    given = None
    if isinstance(task, str) and columns is not None:
        items = read_outputs([task], columns=columns, outputs=outputs)
        given, task = cases_of(items), OutputTask(task, items)
    task = load_task(task) if isinstance(task, str) else task
    params = {"task": task.name, "model": model.name, "judge": known.name, "argv": argv, **options}
    with workbench(
        "audit",
        params,
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
        console=console,
    ) as bench:
        found, rows = audit_live(
            bench,
            task,
            known,
            options,
            name=name or f"{model.name} {label(known.name, options)}",
            source=f"{model.name} on {task.name}",
            plan=plan,
            rules=rules,
            given=given,
            own=own,
        )
        bench.run.add_many("finding", ((m.finding.name, m.finding) for m in found.judges[0].measured))
        if out is not None:
            write_rows(rows, Path(out))
        if console:
            spent = bench.ledger
            console.say(
                f"{count(spent.total)} tokens in {count(spent.requests)} requests, {bench.seconds:.0f} s asked."
            )
    return found


def audit_file(
    path: str | Path,
    *,
    judges: Sequence[str] = (),
    own: str = "",
    by: str | None = None,
    rules: Sequence[Rule] = RULES,
    seed: int = 0,
    format: str | None = None,
    **options: Unpack[Given],
) -> Audited:
    """Audit the judges of a file of verdicts or scores.

    Args:
        judges: those to audit; none for all.
        own: the source whose answers are the judge's own.
        by: the field that tells kinds of questions apart; `category` by default.
        rules: what to ask of a judge; `with_limits` changes single limits.
        seed: of resampling.
        format, options: as in `read_verdicts`.

    Raises:
        ConfigError: an unknown judge, source or format.
        TaskError: a file or a record that cannot be used, by line and field.
    """
    try:
        recorded = read_recorded(Path(path), format=format, category=by, **options)
    except UnknownFormat as error:
        raise TaskError(f"{error}; outputs that a judge should judge first need --model") from error
    return audit_recorded(recorded, str(path), own=own, judges=judges, rules=rules, seed=seed)


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("file", nargs="?", help="verdicts or scores: .jsonl, .json, .csv, .tsv, .parquet")
    parser.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="NAME",
        help="in a file: only this one; live: NAME[:option=value,...]",
    )
    parser.add_argument("--own", default="", metavar="NAME", help="the source whose answers are the judge's own")
    parser.add_argument("--by", metavar="FIELD", help="kinds of questions to compare (default: category)")
    parser.add_argument("--seed", type=int, default=0, help="run seed (default 0)")
    parser.add_argument(
        "--picture", metavar="FILE.html", help="write a page with pictures and tables; FILE.svg: the pictures"
    )
    trusted = parser.add_argument_group("trust")
    trusted.add_argument(
        "--gate",
        nargs="?",
        const="ranking",
        type=use,
        metavar="USE",
        help=f"exit with status 3 unless the judge may be trusted for {' or '.join(USES)} (default ranking)",
    )
    listed = ", ".join(f"{rule.name}={_limits(rule)}" for rule in RULES)
    trusted.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME=LIMIT",
        help=f"another limit, for ranking/training or for both; none asks nothing. Now {listed}",
    )
    files = parser.add_argument_group("a file of verdicts, and what it does not say")
    files.add_argument("--format", choices=tuple(FORMATS), help="default: told from the content")
    add_unsaid(files, "--judge-name")
    live = parser.add_argument_group("a live audit")
    live.add_argument("--model", help="the judge: grit, hf/PATH, openai/MODEL@URL, recorded:FILE, scripted:FILE")
    live.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    live.add_argument("--task", help="its model answers this task; without it FILE holds outputs to judge")
    live.add_argument("--columns", metavar="ROLE=NAME,...", help="of a file of outputs, as in whetstone judge")
    live.add_argument("--outputs", metavar="NAME,...", help="columns that hold one system's output each")
    live.add_argument("--pairs", type=positive, default=Plan.pairs, help="judged in both orders (default 400)")
    live.add_argument(
        "--probed", type=positive, default=Plan.probed, help="of those, with each probe; also triples (default 100)"
    )
    live.add_argument("--probes", default="all", metavar="NAME,...", help="default all; none")
    live.add_argument("--answers", type=positive, default=Plan.samples, help="to a question (default 8)")
    live.add_argument("--answer-temperature", type=float, default=Plan.temperature, help="higher: more wrong ones")
    live.add_argument("--split", choices=("train", "dev", "test"), default=Plan.split, help="default dev")
    live.add_argument("--out", metavar="FILE", help="write the verdicts there")
    live.add_argument("--budget", type=positive, help="cap on all tokens used, paid for or stored (20k, 2M)")
    add_limits(live)
    live.add_argument("--resume", metavar="RUN", help="go on with a stored run of the same settings")
    add_store(parser)
    if value_of(argv, "--model"):
        known = (value_of(argv, "--judge") or DEFAULT).partition(":")[0]
        add_method_flags(parser, find_method(known, "judge", "signal"))


def main(args: argparse.Namespace) -> int:
    console = Console(sys.stderr if args.json else sys.stdout)
    rules = with_limits(args.rule)
    if not args.model and (args.task or not args.file):
        raise ConfigError("name a file of verdicts, or --model and --task to audit a judge live")
    found = live(args, rules, console) if args.model else recorded(args, rules)
    if args.gate:
        found = gated(found, args.gate)
    if args.picture:
        from whetstone.app.report.audited import write_audit

        write_audit(found, Path(args.picture))
    if args.json:
        emit(found)
    else:
        show(console, found)
    if args.picture:
        console.say(f"Picture: {args.picture}")
    return EXIT_GATE if found.gate and not found.gate.passed else 0


def live(args: argparse.Namespace, rules: Sequence[Rule], console: Console) -> Audited:
    """A judge asked now, about a model's answers to a task or about the outputs of a file."""
    if bool(args.file) == bool(args.task):
        raise ConfigError(
            "a live audit needs either --task or a file of outputs, not " + ("both" if args.file else "none")
        )
    if len(args.judge) > 1:
        raise ConfigError("a live audit is of one judge; name one --judge")
    known, written = split_method((args.judge or [DEFAULT])[0], "judge", "signal")
    return audit(
        args.file or args.task,
        known.name,
        model=args.model,
        plan=Plan(args.pairs, args.probed, args.answers, args.answer_temperature, args.split, args.probes),
        own=args.own,
        columns=pairs(args.columns) if args.file else None,
        outputs=parts(args.outputs),
        out=args.out,
        rules=rules,
        name=args.judge_name,
        device=args.device,
        argv=args.argv,
        **run_settings(args, console),
        **{**written, **method_options(args, known)},
    )


def recorded(args: argparse.Namespace, rules: Sequence[Rule]) -> Audited:
    """The judges of a file of verdicts."""
    return audit_file(
        args.file,
        judges=args.judge,
        own=args.own,
        by=args.by,
        rules=rules,
        seed=args.seed,
        format=args.format,
        **unsaid(args),
    )


def use(text: str) -> str:
    """A use of a judge."""
    return text if text in USES else wrong(f"{text!r} is not one of {', '.join(USES)}; a bare --gate stands last")


def _limits(rule: Rule) -> str:
    low, high = ("none" if limit is None else f"{limit:g}" for limit in rule.limits)
    return low if low == high else f"{low}/{high}"
