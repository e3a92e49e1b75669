"""Verdicts and scores from one file format to another: of other tools to the project's own, or on to rank and judge.

whetstone convert annotations.json verdicts.jsonl            recognised by its content; docs/verdicts.md lists formats
whetstone convert logs.eval scores.parquet                   the name of OUT says how it is written
whetstone convert judgments.jsonl battles.csv --to battles   columns model_a, model_b, winner for whetstone rank
whetstone convert judgments.jsonl out.jsonl --labels votes.jsonl            people's votes as labels, to audit against
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from whetstone.app.console import Console, emit
from whetstone.app.verdict_files.options import Given, Reply
from whetstone.app.verdict_files.reading import FORMATS
from whetstone.app.verdict_files.writing import Converted, To, convert


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("source", metavar="IN", help="verdicts, scores, logs or annotations")
    parser.add_argument("target", metavar="OUT", help="a .jsonl, .csv, .tsv (also .gz) or .parquet file")
    parser.add_argument(
        "--to",
        choices=get_args(To),
        default="verdicts",
        help="verdicts: all fields; battles and scores: for whetstone rank; outputs: for whetstone judge",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), help="of IN (default: by its content)")
    parser.add_argument("--no-texts", action="store_true", help="leave out questions, answers and replies")
    parser.add_argument("--overwrite", action="store_true", help="write over OUT where it exists")
    labels = parser.add_argument_group("labels")
    labels.add_argument(
        "--labels", type=Path, metavar="FILE", help="people's or a verifier's verdicts on the same answers"
    )
    labels.add_argument(
        "--label",
        default="",
        metavar="NAME",
        help="the judge or metric whose verdicts are labels, of FILE or else of IN",
    )
    add_file_options(parser)


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """The flags for what a file of verdicts does not say itself."""
    group = parser.add_argument_group("what IN does not say")
    group.add_argument("--judge", default="", metavar="NAME", help="who judged")
    group.add_argument("--system", default="", metavar="NAME", help="whose answers were judged")
    group.add_argument("--baseline", default="", metavar="NAME", help="what they were compared with")
    group.add_argument("--requests", type=Path, metavar="FILE", help="of a batch: its request file")
    group.add_argument(
        "--reply",
        choices=get_args(Reply),
        default="comparison",
        help="of a batch: what replies state (default comparison)",
    )
    group.add_argument("--scale", type=scale, default=(1, 10), metavar="LOW-HIGH", help="of scores in replies (1-10)")
    group.add_argument("--known-names", action="store_true", help="keep votes whose voter knew the names")


def given(args: argparse.Namespace) -> Given:
    """What those flags say."""
    return {
        "judge": args.judge,
        "system": args.system,
        "baseline": args.baseline,
        "requests": args.requests,
        "reply": args.reply,
        "scale": args.scale,
        "known_names": args.known_names,
    }


def scale(text: str) -> tuple[int, int]:
    """`1-10` as its two ends, for argparse."""
    low, dash, high = text.partition("-")
    if not dash or not low.isdigit() or not high.isdigit() or int(low) >= int(high):
        raise argparse.ArgumentTypeError(f"{text!r} is no scale; write LOW-HIGH, such as 1-10")
    return int(low), int(high)


def main(args: argparse.Namespace) -> None:
    done = convert(
        Path(args.source),
        Path(args.target),
        to=args.to,
        overwrite=args.overwrite,
        labels=args.labels,
        label=args.label,
        format=args.format,
        **given(args) | {"texts": not args.no_texts},
    )
    emit(done) if args.json else show(Console(), done)


def show(console: Console, done: Converted) -> None:
    """Say what was written and what was left out."""
    console.say(f"Written: {done.target}, {done.rows} rows as {done.to}, from {done.format} ({done.source})")
    if done.labelled is not None:
        console.say(f"Labelled: {done.labelled} rows")
    for reason, n in done.dropped.items():
        place = done.places.get(reason)
        console.say(f"Left out: {n} times {reason}" + (f"; first at {place}" if place else ""))
    following = {"battles": "rank", "scores": "rank", "verdicts": "audit", "outputs": "judge"}[done.to]
    console.say(f"Next: whetstone {following} {done.target}")
