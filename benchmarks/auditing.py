"""Audits at size: `python benchmarks/auditing.py [--rows 1000000] [--live]`.

Verdicts are made up: 8 systems, both orders, labels, lengths and categories. Each row is a process of its own that runs
the command line, so that its peak memory is its own; seconds are processor time and wall time of the whole command.
`--live` audits grit: 400 pairs in both orders, of which all that can be are put to every probe.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

TARGETS = (
    "targets: a million verdicts with all recorded audits, intervals included, under 20 s and 2 GB; a live audit of\n"
    "grit (400 pairs, both orders, all probes) under 90 s on two cores"
)
SWAP = {"first": "second", "second": "first", "tie": "tie"}


class Row(NamedTuple):
    """Processor and wall seconds, and peak memory in MB."""

    processor: float
    wall: float
    peak: float


def write(folder: Path, n: int) -> None:
    """n rows as JSON Lines and as Parquet."""
    rng = np.random.default_rng(0)
    systems = [f"maker/model-{i}" for i in range(8)]
    places, shares = ["first", "tie", "second"], [0.45, 0.1, 0.45]
    rows = []
    for i in range(n // 2):
        a, b = i % 8, (i + 1 + i // 8 % 7) % 8
        label = places[rng.choice(3, p=shares)]
        said = label if rng.random() < 0.75 else places[rng.choice(3, p=shares)]
        sizes = rng.integers(50, 900, 2).tolist()
        known = {"judge": "judge", "prompt": f"prompt-{i // 28}", "pair": f"prompt-{i // 28}/{a}|{b}/{i}"}
        known["category"] = f"category-{i // 28 % 5}"
        for swapped in (False, True):
            truth, verdict = (SWAP[label], SWAP[said]) if swapped else (label, said)
            verdict = "first" if rng.random() < 0.05 else verdict
            first, second = (b, a) if swapped else (a, b)
            shown = {"first": systems[first], "second": systems[second], "swapped": swapped}
            shown |= {"first_length": sizes[swapped], "second_length": sizes[not swapped]}
            rows.append({**known, **shown, "verdict": verdict, "label": truth})
    with (folder / "verdicts.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "verdicts.parquet")


def measured(*argv: str) -> Row:
    """The command in a process of its own."""
    code = (
        "import contextlib, io, json, resource, sys, time\n"
        "from whetstone.app import cli\n"
        "began = time.monotonic()\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    status = cli.main(sys.argv[1:])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "assert status == 0\n"
        "print(json.dumps([used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1e3]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True)
    return Row(*json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        write(args.write, args.rows)
        return
    print(TARGETS)
    print(f"{'':48} {'processor s':>12} {'wall s':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, tuple[str, ...]] = {}
        if not args.live:
            # A process that has been large makes its children look large.
            subprocess.run([sys.executable, __file__, "--write", name, "--rows", str(args.rows)], check=True)
            own = ("--own", "maker/model-0")
            rows = {
                f"{args.rows:,} verdicts, JSON Lines": ("audit", str(folder / "verdicts.jsonl"), *own),
                f"{args.rows:,} verdicts, Parquet": ("audit", str(folder / "verdicts.parquet"), *own),
                f"{args.rows:,} verdicts, with the page": (
                    *("audit", str(folder / "verdicts.parquet"), *own),
                    *("--picture", str(folder / "audit.html")),
                ),
            }
        else:
            grit = ("audit", "--model", "grit", "--task", "ledger:levels=2-9", "--probed", "400")
            rows = {
                "grit, 400 pairs, both orders, all probes": (*grit, "--store", str(folder / "one")),
                "the same with critiques, 400 pairs": (
                    *("audit", "--model", "grit", "--task", "ledger:levels=2-9", "--critiques"),
                    *("--store", str(folder / "two")),
                ),
            }
        for title, argv in rows.items():
            row = measured(*argv)
            print(f"{title:48} {row.processor:12.1f} {row.wall:8.1f} {row.peak:8.0f}", flush=True)


if __name__ == "__main__":
    main()
