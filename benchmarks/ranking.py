"""Bradley-Terry at size, on one core: `python benchmarks/ranking.py [--against PYTHON] [--largest 10000000]`.

Battles are made up: normal strengths, 15 percent ties. Each row is a process of its own, so that its peak memory is its
own; seconds are processor time of the first call (cold) and the median of five. `--against` names a Python that has
evalica and arena-rank (`pip install evalica arena-rank`); its rows are measured in the same run on the same battles.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TARGETS = (
    "targets: from Parquet under 0.3 s and 200 MB; from codes 8 times faster than evalica's fit and 50 times faster\n"
    "than arena-rank's fit with intervals; 1,000 refitted rounds under 3 s; 5 M x 400 under 0.6 s; from 10 k to 10 M\n"
    "rows at most the growth of reading the file plus 20 %"
)


class Row(NamedTuple):
    """Processor seconds cold and warm, and peak memory in MB."""

    cold: float
    warm: float
    peak: float


# --------------------------------------------------------------------------------------------- the battles


def make(folder: Path, n: int, k: int, *, parquet: bool) -> None:
    """Write the battles in a process of its own: a process that has been large makes its children look large."""
    sizes = [str(n), str(k), str(int(parquet))]
    subprocess.run([sys.executable, __file__, "--folder", str(folder), "--make", *sizes], check=True)


def write(folder: Path, n: int, k: int, parquet: bool) -> None:
    """Battles as integer codes and, if asked, as a Parquet file of names."""
    rng = np.random.default_rng(0)
    strength = rng.normal(0, 1, k)
    left = rng.integers(0, k, n, dtype=np.int32)
    right = (left + rng.integers(1, k, n, dtype=np.int32)) % k
    p = 1 / (1 + np.exp(strength[right] - strength[left]))
    outcome = np.where(rng.random(n) < 0.15, 0, np.where(rng.random(n) < p, 1, -1)).astype(np.int8)
    for name, values in (("left", left), ("right", right), ("outcome", outcome)):
        np.save(folder / f"{name}.npy", values)
    if parquet:
        import pyarrow
        import pyarrow.parquet

        def words(labels: list[str], codes: np.ndarray) -> Any:
            return pyarrow.DictionaryArray.from_arrays(codes.astype(np.int32), labels).cast(pyarrow.string())

        columns = {
            "model_a": words(names(k), left),
            "model_b": words(names(k), right),
            "winner": words(["model_b", "tie", "model_a"], outcome + 1),
        }
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "battles.parquet")


def names(k: int) -> list[str]:
    return [f"maker-{i % 7}/model-{i:03}" for i in range(k)]


def codes(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.load(folder / "left.npy"), np.load(folder / "right.npy"), np.load(folder / "outcome.npy")


# ------------------------------------------------------------------------------------------------ the rows


def from_parquet(folder: Path) -> Callable[[], object]:
    from whetstone.ranking.bradley_terry import bradley_terry
    from whetstone.ranking.reading import read_battles

    return lambda: bradley_terry(read_battles(folder / "battles.parquet"))


def reading_alone(folder: Path) -> Callable[[], object]:
    from pyarrow.parquet import read_table

    return lambda: read_table(folder / "battles.parquet", use_threads=False)


def from_codes(folder: Path, *, rounds: int = 0, clusters: int = 0) -> Callable[[], object]:
    from whetstone.ranking.bradley_terry import bradley_terry
    from whetstone.ranking.comparisons import Comparisons

    left, right, outcome = codes(folder)
    systems = tuple(names(int(left.max()) + 1))
    group = np.random.default_rng(1).integers(0, clusters, len(left)) if clusters else None
    return lambda: bradley_terry(Comparisons(systems, left, right, outcome, group=group), rounds=rounds)


def fit_alone(folder: Path) -> Callable[[], object]:
    from whetstone.ranking.comparisons import Comparisons, count
    from whetstone.ranking.strengths import fit_strengths

    left, right, outcome = codes(folder)
    systems = tuple(names(int(left.max()) + 1))
    return lambda: fit_strengths(count(Comparisons(systems, left, right, outcome)))


def bootstrap(folder: Path) -> Callable[[], object]:
    return from_codes(folder, rounds=1000)


def bootstrap_clusters(folder: Path) -> Callable[[], object]:
    return from_codes(folder, rounds=1000, clusters=100_000)


def evalica_fit(folder: Path) -> Callable[[], object]:
    import evalica

    left, right, outcome = codes(folder)
    systems = np.array(names(int(left.max()) + 1))
    winner = {1: evalica.Winner.X, -1: evalica.Winner.Y, 0: evalica.Winner.Draw}
    xs, ys, winners = systems[left].tolist(), systems[right].tolist(), [winner[int(o)] for o in outcome]
    return lambda: evalica.bradley_terry(xs, ys, winners)


def evalica_core(folder: Path) -> Callable[[], object]:
    """Its compiled fit on lists of integers, without the encoding of labels around it."""
    import evalica

    left, right, outcome = codes(folder)
    winner = {1: evalica.Winner.X, -1: evalica.Winner.Y, 0: evalica.Winner.Draw}
    xs, ys, winners = left.tolist(), right.tolist(), [winner[int(o)] for o in outcome]
    weights, total = [1.0] * len(xs), int(left.max()) + 1
    fit = evalica._brzo.bradley_terry
    return lambda: fit(xs, ys, winners, weights, total, 1.0, 0.5, 1e-6, 100)


def arena_rank(folder: Path, *, with_data: bool = False) -> Callable[[], object]:
    """Fit with sandwich intervals; its first call compiles."""
    import pandas
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    left, right, outcome = codes(folder)
    systems = np.array(names(int(left.max()) + 1))
    winner = np.array(["model_b", "tie", "model_a"])[outcome + 1]
    frame = pandas.DataFrame({"model_a": systems[left], "model_b": systems[right], "winner": winner})
    data = PairDataset.from_pandas(frame)

    def fit() -> object:
        used = PairDataset.from_pandas(frame) if with_data else data
        return BradleyTerry(len(systems)).compute_ratings_and_cis(used)

    return fit


def arena_rank_with_data(folder: Path) -> Callable[[], object]:
    return arena_rank(folder, with_data=True)


OWN: dict[str, Callable[[Path], Callable[[], object]]] = {
    "from Parquet": from_parquet,
    "reading the file alone (pyarrow)": reading_alone,
    "from codes, fit alone": fit_alone,
    "from codes": from_codes,
    "from codes, 1,000 rounds": bootstrap,
    "from codes, 1,000 rounds over 100,000 clusters": bootstrap_clusters,
}
OTHERS: dict[str, Callable[[Path], Callable[[], object]]] = {
    "evalica, fit alone": evalica_fit,
    "evalica, its compiled core on integers": evalica_core,
    "arena-rank, fit with intervals": arena_rank,
    "arena-rank, the same with its counting": arena_rank_with_data,
}


def measure(row: str, folder: Path, python: str = sys.executable) -> Row:
    """Run one row in a process of its own, on one core."""
    command = [python, __file__, "--row", row, "--folder", str(folder)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **threads})
    return Row(*json.loads(done.stdout.splitlines()[-1]))


def run(row: str, folder: Path) -> Row:
    """Time one row in this process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    work = {**OWN, **OTHERS}[row](folder)
    seconds = []
    for _ in range(6):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return Row(seconds[0], statistics.median(seconds[1:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def show(what: str, row: Row) -> None:
    print(f"| {what} | {row.cold:.3f} | {row.warm:.3f} | {row.peak:.0f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="a Python with evalica and arena-rank")
    parser.add_argument("--largest", type=int, default=10_000_000, help="rows of the largest file (default 10 M)")
    parser.add_argument("--row", help="measure one row and print [cold, warm, peak]")
    parser.add_argument(
        "--make", type=int, nargs=3, help="write battles: how many, of how many systems, as Parquet too"
    )
    parser.add_argument("--folder", type=Path, help="where the battles are")
    args = parser.parse_args()
    if args.make:
        write(args.folder, args.make[0], args.make[1], bool(args.make[2]))
        return
    if args.row:
        print(json.dumps(run(args.row, args.folder)))
        return
    head = "| {} | cold s | warm s | peak MB |\n| --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print(head.format("1 M battles x 100 systems"))
        make(folder, 1_000_000, 100, parquet=True)
        own = {row: measure(row, folder) for row in OWN}
        for what, row in own.items():
            show(what, row)
        ours = [own["from codes, fit alone"].warm, own["from codes"].warm]
        for what in OTHERS if args.against else ():
            row = measure(what, folder, args.against)
            show(
                f"{what}: {row.warm / ours[0]:.0f} times our fit alone, {row.warm / ours[1]:.0f} times all of ours", row
            )
        make(folder, 5_000_000, 400, parquet=False)
        show("5 M x 400, from codes", measure("from codes", folder))
        print("\n" + head.format("growth, 100 systems"))
        grown = []
        for n in (10_000, 100_000, 1_000_000, args.largest):
            make(folder, n, 100, parquet=True)
            grown.append([measure(row, folder) for row in ("from Parquet", "reading the file alone (pyarrow)")])
            for what, row in zip(("from Parquet", "reading alone"), grown[-1], strict=True):
                show(f"{n:,} rows, {what}", row)
        more = [grown[-1][i].warm - grown[0][i].warm for i in range(2)]
        print(f"\nfrom 10,000 to {args.largest:,} rows: {more[0]:.3f} s more, reading alone {more[1]:.3f} s more")
        print(f"ratio {more[0] / more[1]:.2f}\n{TARGETS}")


if __name__ == "__main__":
    main()
