"""The main job: measure, audit, improve with what holds up, and say what came of it.

Seven steps: baseline, know, audit, gap, sharpen, train, verdict. Leaves result.json and report.html.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.flags import add_limits, add_store, limit_flags, limits_of, positive
from whetstone.core.errors import ConfigError
from whetstone.store.store import open_store


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("task", nargs="?", help="ledger, countdown, strings, logic (with :levels=5-8) or a file")
    parser.add_argument("--model", help="grit, hf/PATH, openai/MODEL@URL, recorded:FILE, scripted:FILE")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    parser.add_argument("--budget", type=positive, help="cap on all tokens (20k, 2M); the steps are scaled to it")
    add_limits(parser)
    parser.add_argument("--time", type=float, help="seconds the run should take; the steps are scaled to it")
    parser.add_argument("--seeds", type=positive, default=1, help="how often training is repeated (default 1)")
    parser.add_argument("--no-train", action="store_true", help="leave the weights alone: improve at inference only")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run; `last` is the newest")
    parser.add_argument("--out", help="folder of the result (default: a folder of the run's id in the store's)")
    parser.add_argument("--gate", action="store_true", help="exit with status 3 when nothing was improved")
    add_store(parser)


def main(args: argparse.Namespace) -> int:
    if args.resume and not (args.task and args.model):
        return resumed(args)
    if not args.task or not args.model:
        raise ConfigError("whetstone improve needs a task and --model; try: whetstone improve ledger --model grit")
    from whetstone.app.improve import improve

    result = improve(
        args.task,
        args.model,
        budget=args.budget,
        limits=limits_of(args),
        time=args.time,
        seeds=args.seeds,
        train=not args.no_train,
        resume=args.resume,
        out=args.out,
        store=args.store,
        device=args.device,
        argv=args.argv,
        console=Console(sys.stderr if args.json else sys.stdout),
    )
    if args.json:
        emit(result)
    improved = result.conclusion is not None and result.conclusion.improved
    return EXIT_GATE if args.gate and not improved else 0


def resumed(args: argparse.Namespace) -> int:
    """Take task, model and settings from the stored run."""
    from whetstone.app import cli
    from whetstone.app.verbs.runs import resume_arguments

    folder = Path(args.store)
    if not (folder / "store.db").exists():
        raise ConfigError(f"--store {folder}: no runs are stored there; name the folder of the run")
    with open_store(folder) as store:
        again = resume_arguments(store.show(args.resume).run, folder)
    if again[0] != "improve":
        raise ConfigError(f"run {args.resume} is a run of {again[0]}; use: whetstone runs resume {args.resume}")
    return cli.run([*again, *limit_flags(args), *(["--json"] if args.json else [])])
