"""Rank systems from a file of battles, of rankings, or of scores: intervals, ranks, tiers, and what stands in the way.

Battles have columns model_a, model_b and winner (and the variants that arenas write); rankings a column ranking with
a > b = c, or rank_1, rank_2 ...; scores a column for the system and one for each task. The method's own options are
flags; those of another method are shown by whetstone rank FILE --method NAME --help.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any, get_args

from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.flags import add_method_flags, find_method, method_options, named, pairs, parts, value_of
from whetstone.app.leaderboard import Leaderboard, Pairwise, Scale, build
from whetstone.app.leaderboard_text import (
    LONGEST,
    digits,
    effects,
    gate_sentence,
    headline,
    judge_table,
    remarks,
    row,
    rule_table,
)
from whetstone.app.rank_covariates import Wanted
from whetstone.app.rank_covariates import covariates as columns_of
from whetstone.app.rank_data import DEFAULTS
from whetstone.app.rank_files import Kind, Table, kind_of, read_table
from whetstone.core.errors import ConfigError, TaskError, WhetstoneError
from whetstone.core.registry import Method
from whetstone.tasks.readers import file_format

TOP = 40
FITTED = 12
LEVEL = 0.95
CONTEXTUAL = "contextual_bradley_terry"
NOTHING = Wanted()


def rank(
    path: str | Path,
    *,
    method: str | Method | None = None,
    kind: Kind | None = None,
    columns: Mapping[str, str] | None = None,
    tasks: Sequence[str] = (),
    lower: Sequence[str] = (),
    drop_both_bad: bool = False,
    anonymous_only: bool = True,
    scale: Scale = "natural",
    anchor: tuple[str, float | None] | None = None,
    gates: Sequence[str] = (),
    rules: bool | None = None,
    separate: Sequence[str] = (),
    covariates: Wanted = NOTHING,
    exam: str | Path | None = None,
    against: str | Path | None = None,
    **options: Any,
) -> tuple[Leaderboard, Pairwise]:
    """Rank the systems of a file; arguments are those of `read_table` and `build`, and `options` the method's own.

    Args:
        method: a ranking method; None: `DEFAULTS` for what the file holds, and with covariates the contextual one.
        covariates: what may sway the judges of battles.
        exam: verdicts with labels that reviewers are examined by, for `peer_review`.
        against: verdicts of model judges on what the file's votes are on, to hold them against the votes.

    Raises:
        ConfigError: an unknown method or option, or a method that cannot read the file.
        TaskError: a file or a row that cannot be used, by row and column.
    """
    path = Path(path)
    if covariates:
        if method is not None and (method if isinstance(method, str) else method.name) != CONTEXTUAL:
            raise ConfigError(f"covariates are for {CONTEXTUAL}; leave out --method, or the covariates")
        method = CONTEXTUAL
        battles, options["covariates"] = columns_of(
            path, covariates, columns=columns, drop_both_bad=drop_both_bad, anonymous_only=anonymous_only
        )
        table = Table("battles", battles, battles.dropped)
    else:
        table = read_table(
            path,
            kind=kind,
            columns=columns,
            tasks=tasks,
            lower=lower,
            drop_both_bad=drop_both_bad,
            anonymous_only=anonymous_only,
        )
    if exam is not None:
        from whetstone.app.rank_exam import read_exam

        options["exam"] = read_exam(Path(exam))
    known = method if isinstance(method, Method) else find_method(method or DEFAULTS[table.kind], "ranking")
    if exam is not None and known.name != "peer_review":
        raise ConfigError(f"--exam is for --method peer_review, not {known.name}")
    settings: dict[str, Any] = {"scale": scale, "anchor": anchor, "gates": gates, "rules": rules, "separate": separate}
    try:
        board, pairwise = build(table, known, options, source=str(path), **settings)
    except TaskError as error:
        raise TaskError(f"{path}: {error}") from error
    if against is not None:
        from whetstone.app.rank_judges import judges_tested

        board = replace(board, judges=judges_tested(path, Path(against), level=board.level or LEVEL))
    return board, pairwise


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("file", help="a .csv, .tsv, .jsonl (also .gz) or .parquet file")
    parser.add_argument("--method", help=f"default {', '.join(f'{m} for {k}' for k, m in DEFAULTS.items())}")
    parser.add_argument("--scale", choices=get_args(Scale), default="natural", help="of log-odds (default natural)")
    parser.add_argument("--anchor", metavar="NAME[=SCORE]", help="move all scores so that this system has this one")
    parser.add_argument(
        "--rules", action="store_true", help="where the rules of social choice differ (always for scores)"
    )
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="'A > B'",
        help="exit with status 3 unless A is shown to be better than B; 'A >= B': if A is shown to be worse",
    )
    parser.add_argument(
        "--separate", action="append", default=[], metavar="'A, B'", help="how many more battles would tell them apart"
    )
    parser.add_argument("--picture", "--out", metavar="FILE.html", help="write a page with the pictures and tables")
    parser.add_argument("--top", type=not_negative, default=TOP, help=f"systems shown, 0 for all (default {TOP})")
    files = parser.add_argument_group("the file")
    files.add_argument("--kind", choices=get_args(Kind), help="what it holds (default: what its columns say)")
    files.add_argument("--columns", metavar="ROLE=NAME,...", help="such as left=system_1,right=system_2,winner=choice")
    files.add_argument("--tasks", metavar="NAME,...", help="columns of scores that count (default all)")
    files.add_argument("--lower", metavar="NAME,...", help="tasks on which less is better")
    files.add_argument("--drop-both-bad", action="store_true", help="leave out ties of two bad answers")
    files.add_argument("--known-names", action="store_true", help="keep battles whose voter knew the names")
    sway = parser.add_argument_group("what may sway judges of battles (contextual_bradley_terry)")
    sway.add_argument("--length", action="store_true", help="the answers' lengths: columns length_a and length_b ...")
    sway.add_argument(
        "--covariate",
        action="append",
        default=[],
        metavar="NAME=A/B",
        help="the ratio of two columns of numbers, or with NAME=A-B their difference",
    )
    sway.add_argument("--family", metavar="NAME=FAMILY,...", help="of systems and judges: do judges favour their own?")
    judges = parser.add_argument_group("judges")
    judges.add_argument("--exam", metavar="FILE", help="labelled verdicts that reviewers must pass (peer_review)")
    judges.add_argument("--against", metavar="FILE", help="verdicts of model judges, to hold against these votes")
    judges.add_argument("--labelled", metavar="FILE", help="write those verdicts with the votes as their labels")
    method = chosen(argv)
    parser.set_defaults(chosen=method)
    if method and method.name == "bradley_terry":
        own = parser.add_argument_group("uncertainty")
        own.add_argument(
            "--cluster",
            "--covariance",
            dest="option_covariance",
            choices=("auto", "sandwich", "model", "group", "judge"),
            default=argparse.SUPPRESS,
            help="battles of one group (prompt, session) or judge depend on each other; sandwich: none do (default "
            "auto: group where there is such a column)",
        )
        own.add_argument(
            "--bootstrap",
            "--rounds",
            dest="option_rounds",
            type=int,
            metavar="N",
            default=argparse.SUPPRESS,
            help="refitted rounds (default 0: intervals from the covariance)",
        )
    if method:
        add_method_flags(parser, method)


def chosen(argv: Sequence[str]) -> Method | None:
    """The method that the arguments ask for: by its name, else by what the file holds (if unknown, battles)."""
    name = value_of(argv, "--method")
    swayed = any(text.partition("=")[0] in ("--length", "--covariate", "--family") for text in argv)
    if name is None and (swayed or value_of(argv, "--exam")):
        name = CONTEXTUAL if swayed else "peer_review"
    if name is None:
        kind = value_of(argv, "--kind")
        file = next((Path(text) for text in argv if file_format(Path(text)) and Path(text).is_file()), None)
        if kind is None and file is not None:
            # A file that cannot be read is an error later, when the arguments are known to be right.
            with suppress(WhetstoneError):
                kind = kind_of(file, pairs(value_of(argv, "--columns")))
        name = DEFAULTS.get(kind or "battles")  # type: ignore[call-overload]
    return find_method(name, "ranking") if name else None


def main(args: argparse.Namespace) -> int:
    if args.labelled and not args.against:
        raise ConfigError("--labelled writes the verdicts of --against FILE; name that file")
    method: Method | None = args.chosen
    board, pairwise = rank(
        args.file,
        method=method,
        kind=args.kind,
        columns=pairs(args.columns),
        tasks=parts(args.tasks),
        lower=parts(args.lower),
        drop_both_bad=args.drop_both_bad,
        anonymous_only=not args.known_names,
        scale=args.scale,
        anchor=anchor(args.anchor),
        gates=args.gate,
        rules=args.rules or None,
        separate=args.separate,
        covariates=Wanted(args.length, dict(map(named, args.covariate)), pairs(args.family, "--family")),
        exam=args.exam,
        against=args.against,
        **(method_options(args, method) if method else {}),
    )
    if args.labelled:
        from whetstone.app.judging import write_rows
        from whetstone.app.rank_judges import labelled

        write_rows(list(labelled(Path(args.file), Path(args.against))), Path(args.labelled))
    if args.picture:
        from whetstone.app.report.leaderboard import write_leaderboard

        write_leaderboard(board, pairwise, Path(args.picture), top=args.top)
    if args.json:
        emit(board)
    else:
        show(Console(sys.stdout), board, args.top, args.picture)
    return EXIT_GATE if not all(gate.holds for gate in board.gates) else 0


def show(console: Console, board: Leaderboard, top: int = TOP, picture: str | None = None) -> None:
    """Print the table, what stands in the way, and the gates."""
    decimals = digits(board)
    shown = board.systems[: top or None]
    head = ["rank", "system", "score"]
    if board.level is not None:
        head += [f"{100 * board.level:g} %", "ranks", "tier"]
    console.table([*head, board.kind], [row(board, system, decimals) for system in shown])
    if len(shown) < len(board.systems):
        console.say(f"{len(board.systems) - len(shown)} more systems: --top 0, or --json.")
    if board.rules:
        console.table(*rule_table(board))
    if effects(board):
        console.table(["", "value", "interval", "p or votes"], effects(board)[:FITTED])
    if board.judges:
        console.table(*judge_table(board))
    for text in (headline(board), *remarks(board), *map(gate_sentence, board.gates)):
        console.say(shorten(text, LONGEST, placeholder=" ... (all of it is in --json)"))
    if picture:
        console.say(f"Picture: {picture}")


def not_negative(text: str) -> int:
    """A whole number from 0 up, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def anchor(text: str | None) -> tuple[str, float | None] | None:
    """`NAME` or `NAME=SCORE`."""
    if text is None:
        return None
    name, equals, score = text.rpartition("=")
    if not equals:
        return text, None
    try:
        return name, float(score)
    except ValueError:
        raise ConfigError(f"--anchor {text!r}: {score!r} is not a number") from None
