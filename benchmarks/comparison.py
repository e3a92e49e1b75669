"""Comparing systems on the same items: seconds of processor time on one core, with numpy's own loop as the yardstick.

`python benchmarks/comparison.py [--items 10000] [--rounds 10000]`
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
import scipy.stats  # noqa: E402

from whetstone.stats import (  # noqa: E402
    compare_systems,
    interquartile_mean,
    mcnemar,
    paired_anytime,
    paired_bootstrap,
    paired_permutation,
    paired_t,
)

TARGETS = "targets: 10,000 rounds of 10,000 items under 0.05 s for binary scores, under 1 s for real-valued"
SYSTEMS = 20


def rows(difference: np.ndarray, rounds: int) -> None:
    """The plain bootstrap: draw the rows of every round."""
    rng = np.random.default_rng(0)
    n = difference.size
    means = [difference[rng.integers(n, size=n)].mean() for _ in range(rounds)]
    np.quantile(means, [0.025, 0.975])


def packaged(difference: np.ndarray, rounds: int) -> None:
    """scipy's bootstrap of the mean difference."""
    scipy.stats.bootstrap((difference,), np.mean, n_resamples=rounds, method="percentile", batch=100, rng=0)


def seconds(work: Callable[[], object]) -> float:
    """The best of three, in processor time."""
    spent = []
    for _ in range(3):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=10_000)
    args = parser.parse_args()
    n, rounds = args.items, args.rounds
    rng = np.random.default_rng(1)
    shared = rng.random(n)
    binary = [(np.where(rng.random(n) < 0.7, shared, rng.random(n)) < p).astype(float) for p in (0.7, 0.72)]
    real = [shared + rng.normal(size=n), shared + rng.normal(0.02, 1, n)]
    groups = np.arange(n) // 5
    many = {f"s{i}": (np.where(rng.random(n) < 0.7, shared, rng.random(n)) < 0.6 + i / 100) for i in range(SYSTEMS)}
    spread = {f"s{i}": shared + rng.normal(i / 100, 1, n) for i in range(SYSTEMS)}
    few = min(rounds, 1000)
    plain = seconds(lambda: rows(real[1] - real[0], few)) * rounds / few
    batched = seconds(lambda: packaged(real[1] - real[0], few)) * rounds / few
    table = {
        f"rows drawn in a loop ({few:,} rounds, scaled)": plain,
        f"scipy.stats.bootstrap ({few:,} rounds, scaled)": batched,
        "paired bootstrap, binary": seconds(lambda: paired_bootstrap(*binary, rounds=rounds)),
        "paired bootstrap, real-valued": seconds(lambda: paired_bootstrap(*real, rounds=rounds)),
        "paired bootstrap, real-valued, clusters of 5": seconds(
            lambda: paired_bootstrap(*real, rounds=rounds, groups=groups)
        ),
        "permutation, binary": seconds(lambda: paired_permutation(*binary, rounds=rounds)),
        "permutation, real-valued": seconds(lambda: paired_permutation(*real, rounds=rounds)),
        "McNemar": seconds(lambda: mcnemar(*binary)),
        "t, clusters of 5": seconds(lambda: paired_t(*real, groups=groups)),
        "anytime-valid, binary": seconds(lambda: paired_anytime(*binary)),
        "interquartile mean, 2,000 rounds": seconds(lambda: interquartile_mean(real[0])),
        f"{SYSTEMS} binary systems, all {SYSTEMS * (SYSTEMS - 1) // 2} pairs": seconds(lambda: compare_systems(many)),
        f"{SYSTEMS} real-valued systems, all pairs, one joint bootstrap": seconds(
            lambda: compare_systems(spread, test="bootstrap", rounds=rounds)
        ),
    }
    print(f"{n:,} items, {rounds:,} rounds; {TARGETS}\n\n| work | seconds | rows in a loop take |\n| --- | --- | --- |")
    for work, spent in table.items():
        print(f"| {work} | {spent:.4f} | {plain / spent:,.1f} times as long |")


if __name__ == "__main__":
    main()
