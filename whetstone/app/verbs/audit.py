"""May this judge be trusted? Audit a judge on a model and a task, or a file of its verdicts.

  whetstone audit verdicts.jsonl                      a file: position, length, agreement with the labels in it ...
  whetstone audit --model grit --task ledger:levels=2-9 --judge pairwise_judge     live: probes as well

A file is one of whetstone judge, or of any format in docs/verdicts.md. The options of a live judge are flags.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Unpack, get_args

from whetstone.app.auditing import Audited, audit_recorded, gated
from whetstone.app.auditing_text import show
from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.recorded_verdicts import read_recorded
from whetstone.app.trust import RULES, USES, Rule, with_limits
from whetstone.app.verdict_files.options import Given, Reply
from whetstone.app.verdict_files.reading import FORMATS
from whetstone.core.errors import ConfigError


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
    recorded = read_recorded(Path(path), format=format, category=by, **options)
    return audit_recorded(recorded, str(path), own=own, judges=judges, rules=rules, seed=seed)


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("file", nargs="?", help="verdicts or scores: .jsonl, .json, .csv, .tsv, .parquet")
    parser.add_argument("--judge", action="append", default=[], metavar="NAME", help="in a file: only this one")
    parser.add_argument("--own", default="", metavar="NAME", help="the source whose answers are the judge's own")
    parser.add_argument("--by", metavar="FIELD", help="kinds of questions to compare (default: category)")
    parser.add_argument("--seed", type=int, default=0, help="run seed (default 0)")
    parser.add_argument("--picture", metavar="FILE.html", help="write a page with the pictures and tables")
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
    files = parser.add_argument_group("the file")
    files.add_argument("--format", choices=tuple(FORMATS), help="default: told from the content")
    files.add_argument("--judge-name", default="", metavar="NAME", help="who judged, where the file does not say")
    files.add_argument("--system", default="", metavar="NAME", help="whose answers, where the file does not say")
    files.add_argument("--baseline", default="", metavar="NAME", help="compared with whose, where it does not say")
    files.add_argument("--reply", choices=get_args(Reply), default="comparison", help="how a batch's replies are read")
    files.add_argument("--requests", type=Path, metavar="FILE", help="the request file of a batch")


def main(args: argparse.Namespace) -> int:
    console = Console(sys.stderr if args.json else sys.stdout)
    rules = with_limits(args.rule)
    if not args.file:
        raise ConfigError("name a file of verdicts, or --model, --task and --judge to audit a judge live")
    found = audit_file(
        args.file,
        judges=args.judge,
        own=args.own,
        by=args.by,
        rules=rules,
        seed=args.seed,
        format=args.format,
        judge=args.judge_name,
        system=args.system,
        baseline=args.baseline,
        reply=args.reply,
        requests=args.requests,
    )
    if args.gate:
        found = gated(found, args.gate)
    if args.json:
        emit(found)
    else:
        show(console, found)
    return EXIT_GATE if found.gate and not found.gate.passed else 0


def use(text: str) -> str:
    """A use of a judge."""
    return text if text in USES else wrong(f"{text!r} is not one of {', '.join(USES)}; a bare --gate stands last")


def wrong(message: str) -> NoReturn:
    raise argparse.ArgumentTypeError(message)


def _limits(rule: Rule) -> str:
    low, high = ("none" if limit is None else f"{limit:g}" for limit in rule.limits)
    return low if low == high else f"{low}/{high}"
