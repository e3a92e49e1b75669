"""Flags for what a file of verdicts does not say itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from whetstone.app.verdict_files.options import Given, Reply


def add_unsaid(parser: argparse._ActionsContainer, judge: str) -> None:
    """The flags of `Given`; `judge` is what the one for who judged is called."""
    parser.add_argument(judge, dest="judge_name", default="", metavar="NAME", help="who judged")
    parser.add_argument("--system", default="", metavar="NAME", help="whose answers were judged")
    parser.add_argument("--baseline", default="", metavar="NAME", help="what they were compared with")
    parser.add_argument("--requests", type=Path, metavar="FILE", help="of a batch: its request file")
    parser.add_argument(
        "--reply",
        choices=get_args(Reply),
        default="comparison",
        help="of a batch: what replies state (default comparison)",
    )
    parser.add_argument("--scale", type=scale, default=(1, 10), metavar="LOW-HIGH", help="of scores in replies (1-10)")
    parser.add_argument("--known-names", action="store_true", help="keep votes whose voter knew the names")


def unsaid(args: argparse.Namespace) -> Given:
    """What those flags say."""
    return {
        "judge": args.judge_name,
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
    if not dash or not low.isdecimal() or not high.isdecimal() or int(low) >= int(high):
        raise argparse.ArgumentTypeError(f"{text!r} is no scale; write LOW-HIGH, such as 1-10")
    return int(low), int(high)
