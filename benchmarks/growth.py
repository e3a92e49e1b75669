"""Cost against the number of questions: greedy answers of grit through driver and store, from 100 to 10,000."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import whetstone as ws
from whetstone.core.flow import drive
from whetstone.core.registry import load
from whetstone.store import open_store


def main() -> None:
    """Print seconds and milliseconds a question for each size."""
    task, greedy = ws.load_task("ledger:levels=5"), load("greedy", "strategy")
    model = ws.load_model("grit")
    print("| questions | seconds | ms a question |\n| --- | --- | --- |")
    for n in (100, 1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
            examples = list(task.examples("test", n=n))
            began = time.perf_counter()
            done = drive(((e.id, greedy(task, e)) for e in examples), {"policy": store.cached(model)})
            spent = time.perf_counter() - began
            assert len(done.results) == n
            print(f"| {n} | {spent:.2f} | {1000 * spent / n:.2f} |", flush=True)


if __name__ == "__main__":
    main()
