"""What driver and store cost beyond the model: `python benchmarks/driver.py [--flows 100000]`.

Every flow asks one sampled request of a scripted model. Each row is a process of its own, so that its peak memory is
its own; "model alone" is the same requests without driver or store and is contained in the other rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from whetstone.core.flow import Flow, drive, sample
from whetstone.core.types import Generation, Request, Sample, Usage, form, user
from whetstone.models.scripted import ScriptedModel
from whetstone.store import open_store

TARGETS = "targets: under 60 microseconds a request, 100,000 flows in under 500 MB"


def answer(request: Request) -> Generation:
    seed = request.sampling.seed if isinstance(request, Sample) else 0
    return Generation(f"Adding both gives the answer {seed}.", usage=Usage(24, 8))


def ask(i: int) -> Flow[str]:
    prompt = user(form("solve", "{question}\n\nThink, then answer.", question=f"What is {i} + {i}?"))
    replies = yield from sample(prompt)
    return replies[0].text


def flows(n: int) -> Iterator[tuple[str, Flow[str]]]:
    return ((str(i), ask(i)) for i in range(n))


def alone(n: int) -> float:
    """The model's own time."""
    session = ScriptedModel(answer).open()
    requests = [next(flow)[0] for _, flow in flows(n)]
    began = time.perf_counter()
    for i, request in enumerate(requests):
        session.put(i, request)
    session.poll()
    return time.perf_counter() - began


def driven(n: int, *, budget: int | None = None, window: int = 4096) -> float:
    return drive(flows(n), {"policy": ScriptedModel(answer)}, budget=budget, window=window).seconds


def stored(n: int, *, times: int = 1) -> float:
    """Seconds of the last of `times` runs through one store."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        model = store.cached(ScriptedModel(answer))
        return [drive(flows(n), {"policy": model}).seconds for _ in range(times)][-1]


ROWS: dict[str, Callable[[int], float]] = {
    "model alone": alone,
    "driver": driven,
    "driver with a budget": lambda n: driven(n, budget=10**12),
    "driver, all flows alive": lambda n: driven(n, window=n),
    "driver and store, all new": stored,
    "driver and store, all replayed": lambda n: stored(n, times=2),
}


def measure(row: str, n: int) -> tuple[float, float]:
    """Microseconds a request and peak megabytes of one row, in a process of its own."""
    command = [sys.executable, __file__, "--flows", str(n), "--row", row]
    seconds, kilobytes = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return seconds / n * 1e6, kilobytes / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=100_000)
    parser.add_argument("--row", choices=list(ROWS), help="measure one row and print [seconds, kilobytes]")
    args = parser.parse_args()
    if args.row:
        seconds = ROWS[args.row](args.flows)
        print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
        return
    print(f"{'':32}{'flows':>9}{'us/request':>12}{'peak MB':>9}")
    for row in ROWS:
        for n in sorted({max(1, args.flows // 100), max(1, args.flows // 10), args.flows}):
            microseconds, megabytes = measure(row, n)
            print(f"{row:32}{n:>9,}{microseconds:>12.1f}{megabytes:>9.0f}")
    print(TARGETS)


if __name__ == "__main__":
    main()
