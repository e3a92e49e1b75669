"""The benchmark on a Llama with random weights runs where there is no accelerator, at its smallest size."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "llama.py"


def test_every_row_is_measured_and_the_scores_are_those_of_a_forward_pass() -> None:
    argv = ["--device", "cpu", "--size", "tiny", "--questions", "2", "--prompts", "1", "--repeats", "1"]
    done = subprocess.run([sys.executable, SCRIPT, *argv], capture_output=True, text=True, check=True)
    for row in ("engine", "generate, a question at a time", "static batches of 32", "one forward pass for each"):
        assert re.search(rf"{row} +│ +[1-9]", done.stdout)
    (apart,) = re.findall(r"differ by (\S+) at most", done.stdout)
    assert float(apart) < 1e-4


def test_a_device_that_is_not_there_is_one_line() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--device", "cuda:99"], capture_output=True, text=True)
    assert done.returncode
    assert "cuda:99" in done.stderr.splitlines()[-1]
