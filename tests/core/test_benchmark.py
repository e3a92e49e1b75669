"""The driver's benchmark runs, and its rows stay within their targets at a small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "driver.py"


def test_the_table_has_every_row_within_its_memory_target() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--flows", "400"], capture_output=True, text=True, check=True)
    title, *rows, targets = done.stdout.splitlines()
    assert title.split() == ["flows", "us/request", "peak", "MB"]
    assert len(rows) == 18
    assert all(float(row.split()[-1]) < 500 for row in rows)
    assert "under 60 microseconds" in targets
