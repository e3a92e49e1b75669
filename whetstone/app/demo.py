"""The main job on the embedded model: `python -m whetstone.app.demo`.

Measures grit on generated ledgers, audits its judgement, lets it train on its own agreed answers beside a gold filter
and a naive self-reward, and leaves `runs/demo/result.json` and `runs/demo/report.html`. All figures are computed live;
a run that does not improve says so.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from whetstone.app import cli

OUT = Path("runs/demo")
TASK = "ledger:levels=8-15"


def main(argv: list[str] | None = None) -> int:
    """Run `whetstone improve ledger:levels=8-15 --model grit --out runs/demo`, afresh; further flags are passed on."""
    # grit is too small to gain from a second thread, and threads that wait for a busy core cost minutes.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    shutil.rmtree(OUT, ignore_errors=True)
    extra = sys.argv[1:] if argv is None else argv
    return cli.main(["improve", TASK, "--model", "grit", "--out", str(OUT), "--store", str(OUT), *extra])


if __name__ == "__main__":
    raise SystemExit(main())
