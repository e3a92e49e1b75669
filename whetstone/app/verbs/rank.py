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
from pathlib import Path
from textwrap import shorten
from typing import Any, get_args

from whetstone.app.cli import EXIT_GATE
from whetstone.app.console import Console, emit
from whetstone.app.flags import add_method_flags, find_method, method_options
from whetstone.app.leaderboard import Leaderboard, Pairwise, Scale, build
from whetstone.app.leaderboard_text import LONGEST, digits, effects, gate_sentence, headline, remarks, row, rule_table
from whetstone.app.rank_data import DEFAULTS
from whetstone.app.rank_files import Kind, kind_of, read_table
from whetstone.core.errors import ConfigError, TaskError, WhetstoneError
from whetstone.core.registry import Method
from whetstone.tasks.readers import file_format

TOP = 40
FITTED = 12


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
    **options: Any,
) -> tuple[Leaderboard, Pairwise]:
    """Rank the systems of a file; arguments are those of `read_table` and `build`, and `options` the method's own.

    Args:
        method: a ranking method; None: `DEFAULTS` for what the file holds.

    Raises:
        ConfigError: an unknown method or option, or a method that cannot read the file.
        TaskError: a file or a row that cannot be used, by row and column.
    """
    table = read_table(
        Path(path),
        kind=kind,
        columns=columns,
        tasks=tasks,
        lower=lower,
        drop_both_bad=drop_both_bad,
        anonymous_only=anonymous_only,
    )
    known = method if isinstance(method, Method) else find_method(method or DEFAULTS[table.kind], "ranking")
    try:
        return build(table, known, options, source=str(path), scale=scale, anchor=anchor, gates=gates, rules=rules)
    except TaskError as error:
        raise TaskError(f"{path}: {error}") from error


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
    parser.add_argument("--picture", "--out", metavar="FILE.html", help="write a page with the pictures and tables")
    parser.add_argument("--top", type=not_negative, default=TOP, help=f"systems shown, 0 for all (default {TOP})")
    files = parser.add_argument_group("the file")
    files.add_argument("--kind", choices=get_args(Kind), help="what it holds (default: what its columns say)")
    files.add_argument("--columns", metavar="ROLE=NAME,...", help="such as left=system_1,right=system_2,winner=choice")
    files.add_argument("--tasks", metavar="NAME,...", help="columns of scores that count (default all)")
    files.add_argument("--lower", metavar="NAME,...", help="tasks on which less is better")
    files.add_argument("--drop-both-bad", action="store_true", help="leave out ties of two bad answers")
    files.add_argument("--known-names", action="store_true", help="keep battles whose voter knew the names")
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
    if name is None:
        kind = value_of(argv, "--kind")
        file = next((Path(text) for text in argv if file_format(Path(text)) and Path(text).is_file()), None)
        if kind is None and file is not None:
            # A file that cannot be read is an error later, when the arguments are known to be right.
            with suppress(WhetstoneError):
                kind = kind_of(file, pairs(value_of(argv, "--columns")))
        name = DEFAULTS.get(kind or "battles")  # type: ignore[call-overload]
    return find_method(name, "ranking") if name else None


def value_of(argv: Sequence[str], flag: str) -> str | None:
    """The value that a flag is given, before the arguments are parsed."""
    for i, text in enumerate(argv):
        if text == flag:
            return argv[i + 1] if i + 1 < len(argv) else None
        if text.startswith(f"{flag}="):
            return text.partition("=")[2]
    return None


def main(args: argparse.Namespace) -> int:
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
        **(method_options(args, method) if method else {}),
    )
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
    for text in (headline(board), *remarks(board), *map(gate_sentence, board.gates)):
        console.say(shorten(text, LONGEST, placeholder=" ... (all of it is in --json)"))
    if picture:
        console.say(f"Picture: {picture}")


def pairs(text: str | None) -> dict[str, str]:
    """`left=a,winner=b` as roles and columns."""
    found = {}
    for part in parts(text):
        role, equals, column = part.partition("=")
        if not equals:
            raise ConfigError(f"--columns {part!r}: write ROLE=NAME, such as winner=choice")
        found[role.strip()] = column.strip()
    return found


def parts(text: str | None) -> tuple[str, ...]:
    """Names joined by commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def not_negative(text: str) -> int:
    """A whole number from 0 up, for argparse."""
    if not text.isdigit():
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
