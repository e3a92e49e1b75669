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
from whetstone.app.verdict_files.flags import add_unsaid, unsaid
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
    add_unsaid(parser.add_argument_group("what IN does not say"), "--judge")


def main(args: argparse.Namespace) -> None:
    done = convert(
        Path(args.source),
        Path(args.target),
        to=args.to,
        overwrite=args.overwrite,
        labels=args.labels,
        label=args.label,
        format=args.format,
        **unsaid(args) | {"texts": not args.no_texts},
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
