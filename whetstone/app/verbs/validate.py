"""What is wrong in a data file (.jsonl, .csv, .tsv, .parquet), by line. Exit status 2 when something is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from whetstone.app.cli import EXIT_MISTAKE
from whetstone.app.console import emit
from whetstone.app.flags import positive
from whetstone.core.errors import TaskError
from whetstone.tasks.load import load_task
from whetstone.tasks.validate import LIMIT, validate_file


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.add_argument("file", help="the data file")
    parser.add_argument("--verifier", help="also check the targets as this verifier needs them, such as numeric")
    parser.add_argument("--limit", type=positive, default=LIMIT, help=f"problems to name (default {LIMIT})")


def main(args: argparse.Namespace) -> int:
    path = Path(args.file)
    if not path.is_file():
        raise TaskError(f"{path}: no such file")
    problems = validate_file(path, verifier=args.verifier, limit=args.limit)
    usable = not problems
    if args.json:
        emit({"file": str(path), "usable": usable, "problems": problems})
    elif problems:
        for problem in problems:
            print(f"{path}:{problem}")
        print(f"\n{len(problems)} problem{'s' * (len(problems) > 1)}. Mend them and validate again.")
    else:
        task = load_task(str(path))
        counts = {split: sum(1 for _ in task.examples(split)) for split in ("train", "dev", "test")}
        rows = ", ".join(f"{n} {split}" for split, n in counts.items())
        print(f"{path}: nothing wrong; {rows} questions. Next: whetstone solve --task {path} --model grit")
    return 0 if usable else EXIT_MISTAKE
