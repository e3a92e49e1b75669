"""Score or compare outputs from files with any judge: verdicts.jsonl, which whetstone audit and whetstone rank read.

  whetstone judge pairs.jsonl --model openai/gpt-5-mini              two columns of outputs: which one is better?
  whetstone judge old.jsonl new.jsonl --model grit                    a file for each system
  whetstone judge answers.csv --model hf/PATH --judge pointwise       each output by itself

A row has a question (question, prompt, instruction ...), an output (output, response ...; two: output_1 and output_2,
response_a and response_b ...) or a system and its output, and if it is known a label. The judge's options are flags;
those of another judge are shown by whetstone judge --judge NAME --help.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whetstone.app.console import Console, count, emit, interval
from whetstone.app.flags import (
    add_common,
    add_method_flags,
    find_method,
    method_options,
    pairs,
    parts,
    positive,
    run_settings,
    split_method,
    value_of,
)
from whetstone.app.judging import (
    Judgement,
    Row,
    Standing,
    by_score,
    compare,
    compared,
    pairings,
    reasons_of,
    score,
    score_rows,
    scored,
    verdict_rows,
    write_rows,
)
from whetstone.app.limits import NO_LIMITS, Limits
from whetstone.app.outputs import OutputTask, read_outputs
from whetstone.app.steps.sharpen import label
from whetstone.app.workbench import workbench
from whetstone.core.errors import ConfigError
from whetstone.core.types import Model
from whetstone.models.load import load_model

DEFAULT = "pairwise_judge"
SHOWN = 12  # pairs of systems that a terminal shows


def judge(
    *files: str | Path,
    model: Model | str,
    judge: str = DEFAULT,
    out: str | Path | None = None,
    overwrite: bool = False,
    columns: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    baseline: str = "",
    by_higher: bool = False,
    n: int | None = None,
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
) -> Judgement:
    """Judge the outputs of files.

    Args:
        files: as in `read_outputs`, with `columns` and `outputs`.
        judge: a judge, which compares two outputs, or a signal, which scores one; `options` are its keyword arguments.
        out: the file to write; None writes none. One that is there is written over only if `overwrite` says so, or when
            a run is resumed.
        baseline: compare every system with this one only.
        by_higher: let a signal compare: the output with the higher value is better.
        n: the first so many questions.
        name: what the rows call the judge.
        budget: cap on all tokens used.
        limits: the most that the run may pay for; it then stops with LimitReached and can be resumed.
        store: folder of the run database.
        resume: a run to go on with.

    Raises:
        ConfigError: an unknown judge, option, column or system.
        TaskError: a row that cannot be used, by file and line.
    """
    known = find_method(judge, "judge", "signal")
    items = read_outputs(files, columns=columns, outputs=outputs, limit=n)
    single = known.kind == "signal" and not by_higher
    if not single and all(len(item.answers) < 2 for item in items):
        raise ConfigError(
            f"{known.name} compares two outputs, and every question has one; score them with --judge pointwise, or "
            "give a file for each system"
        )
    if single and baseline:
        raise ConfigError(
            f"--baseline is for judges that compare; {known.name} scores each by itself; --higher lets it compare"
        )
    asked = [] if single else pairings(items, baseline)
    model = load_model(model, device=device) if isinstance(model, str) else model
    if out is not None and Path(out).exists() and not (overwrite or resume):
        raise ConfigError(f"--out {out}: the file is there already; name another one, or add --overwrite")
    called = name or f"{model.name} {label(known.name, options)}"
    task = OutputTask(" ".join(str(file) for file in files), items)
    params = {"task": task.name, "model": model.name, "judge": known.name, "argv": argv, **options}
    rows: list[Row]
    with workbench(
        "judge",
        params,
        model=model,
        seed=seed,
        budget=budget,
        limits=limits,
        store=store,
        resume=resume,
        console=console,
    ) as bench:
        if single:
            values = score(bench, task, items, known, options)
            rows = [row for item in items for row in score_rows(called, item, values[item.id])]
            standings, reasons = scored(items, values), reasons_of([one for item in items for one in values[item.id]])
        else:
            scores = score(bench, task, items, known, options) if by_higher and known.kind == "signal" else None
            verdicts = compare(bench, task, asked, known, options) if scores is None else by_score(asked, scores)
            rows = [row for pair in asked for row in verdict_rows(called, pair, verdicts[pair.key])]
            standings, reasons = compared(asked, verdicts), reasons_of(list(verdicts.values()))
        bench.run.add_many("finding", ((f"{s.system} {s.against} {f.name}", f) for s in standings for f in s.findings))
        if out is not None:
            write_rows(rows, Path(out))
    kind = "scores" if single else "pairs"
    spent = bench.ledger
    return Judgement(
        called,
        model.name,
        kind,
        "" if out is None else str(out),
        len(rows),
        standings,
        reasons,
        spent.total,
        spent.requests,
        bench.meter.paid(),
        bench.run.id,
    )


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="outputs: .jsonl, .csv, .tsv, .parquet; also NAME=FILE"
    )
    parser.add_argument(
        "--judge", default=DEFAULT, metavar="NAME[:option=value,...]", help=f"a judge or a signal (default {DEFAULT})"
    )
    parser.add_argument("--out", default="verdicts.jsonl", metavar="FILE", help="default verdicts.jsonl")
    parser.add_argument("--overwrite", action="store_true", help="write over --out if it is there")
    parser.add_argument("--baseline", default="", metavar="SYSTEM", help="compare every system with this one only")
    parser.add_argument("--higher", action="store_true", help="let a signal compare: the higher value is better")
    parser.add_argument("--limit", type=positive, help="the first so many questions (default all)")
    parser.add_argument("--name", default="", help="what the rows call the judge (default: model and judge)")
    files = parser.add_argument_group("the files")
    files.add_argument("--columns", metavar="ROLE=NAME,...", help="such as question=ask,output=said,label=better")
    files.add_argument("--outputs", metavar="NAME,...", help="columns that hold one system's output each")
    add_common(parser, task=False, limit=None)
    known = (value_of(argv, "--judge") or DEFAULT).partition(":")[0]
    add_method_flags(parser, find_method(known, "judge", "signal"))


def main(args: argparse.Namespace) -> None:
    console = Console(sys.stderr if args.json else sys.stdout)
    known, written = split_method(args.judge, "judge", "signal")
    found = judge(
        *args.files,
        model=args.model,
        judge=known.name,
        out=args.out,
        overwrite=args.overwrite,
        columns=pairs(args.columns),
        outputs=parts(args.outputs),
        baseline=args.baseline,
        by_higher=args.higher,
        n=args.limit,
        name=args.name,
        device=args.device,
        argv=args.argv,
        **run_settings(args, console),
        **{**written, **method_options(args, known)},
    )
    if args.json:
        emit(found)
    else:
        show(console, found)


def show(console: Console, found: Judgement) -> None:
    """Print what each system got, why verdicts are missing, tokens, and what to do next."""
    head, cells = (score_table if found.kind == "scores" else pair_table)(found.standings[:SHOWN])
    console.table(head, cells)
    if len(found.standings) > SHOWN:
        console.say(f"{len(found.standings) - SHOWN} more are in --json; whetstone rank {found.file} ranks them all.")
    if found.reasons:
        said = [f"{n} x {reason}" for reason, n in list(found.reasons.items())[:3]]
        console.say(f"No verdict: {'; '.join(said)}.")
    console.say(f"{found.judge}: {count(found.tokens)} tokens in {count(found.requests)} requests (run {found.run}).")
    console.say(f"Written: {found.file} ({found.rows:,} rows). May it be trusted? whetstone audit {found.file}")


def pair_table(standings: Sequence[Standing]) -> tuple[list[str], list[list[str]]]:
    """One row a pair of systems and way to see its win rate."""
    head = ["system", "against", "", "n", "win rate", "even", "no verdict"]
    cells = []
    for one in standings:
        rates = one.findings or (None,)
        for i, rate in enumerate(rates):
            known = [rate.name, f"{rate.n:,}", interval(rate.estimate, rate.interval)] if rate else ["", "0", "–"]
            first = [one.system, one.against] if i == 0 else ["", ""]
            cells.append([*first, *known, *([f"{one.ties:,}", f"{one.abstained:,}"] if i == 0 else ["", ""])])
    return head, cells


def score_table(standings: Sequence[Standing]) -> tuple[list[str], list[list[str]]]:
    """One row a system and way to see its mean."""
    head = ["system", "", "n", "score", "no verdict"]
    cells = []
    for one in standings:
        for i, mean in enumerate(one.findings or (None,)):
            known = [mean.name, f"{mean.n:,}", interval(mean.estimate, mean.interval)] if mean else ["", "0", "–"]
            cells.append([one.system if i == 0 else "", *known, f"{one.abstained:,}" if i == 0 else ""])
    return head, cells
