"""Kappa, alpha and AC1 against other packages, a published example, simulations, and a million items."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha

NONE = float("nan")
# Krippendorff (2011), section E: four coders, twelve units.
PUBLISHED = [
    [1, 1, NONE, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [NONE, 5, 5, 5],
    [NONE, NONE, 1, 1],
    [NONE, NONE, 3, NONE],
]


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("agreement_reference.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_published_example_of_alpha(scale, alpha) -> None:
    found = krippendorff_alpha(PUBLISHED, scale=scale)
    assert found.value == pytest.approx(alpha, abs=0.0006)
    assert (found.n, found.note) == (11, "1 items with too few ratings left out")


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_of_another_library(stored, scale) -> None:
    assert krippendorff_alpha(stored["ratings"], scale=scale).value == pytest.approx(stored["alpha"][scale], abs=1e-12)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_of_another_library(stored, weights) -> None:
    found = cohen_kappa(stored["first"], stored["second"], weights=weights)
    assert found.value == pytest.approx(stored["kappa"][str(weights)], abs=1e-12)


def test_ac1_of_another_library(stored) -> None:
    found = gwet_ac1(stored["ratings"])
    assert found.value == pytest.approx(stored["ac1"], abs=1e-9)
    assert found.note == "1 items with too few ratings left out"


def test_kappa_by_hand() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: (0.7 - 0.5) / (1 - 0.5)."""
    said = [1.0] * 25 + [0.0] * 25
    truth = [1.0] * 20 + [0.0] * 5 + [1.0] * 10 + [0.0] * 15
    assert cohen_kappa(said, truth).value == pytest.approx(0.4)


def test_labels_of_any_kind_and_unused_ones() -> None:
    first, second = ["bad", "good", "good", "fair"], ["bad", "good", "fair", "fair"]
    order = ["bad", "fair", "good"]
    assert cohen_kappa(first, second).value == pytest.approx(cohen_kappa([0, 2, 2, 1], [0, 2, 1, 1]).value)
    near = cohen_kappa(first, second, weights="linear", labels=order)
    assert near.value > cohen_kappa(first, second, labels=order).value
    assert krippendorff_alpha([["a", "a"], ["b", None], ["b", "b"]]).value == 1
    assert gwet_ac1([[1, 1], [1, 1]]).value is None
    assert gwet_ac1([[1, 1], [1, 1]], labels=(1, 2)).value == 1


def test_what_cannot_be_measured_is_unknown_or_refused() -> None:
    same = cohen_kappa([1, 1, 1], [1, 1, 1])
    assert (same.value, same.interval, same.n) == (None, None, 3)
    assert krippendorff_alpha([[2, 2], [2, 2]]).value is None
    assert krippendorff_alpha([[2, NONE], [NONE, 1]]).value is None
    with pytest.raises(ValueError, match="must be numbers"):
        krippendorff_alpha([["a", "b"], ["a", "a"]], scale="ordinal")
    with pytest.raises(ValueError, match="64 distinct values"):
        krippendorff_alpha(np.arange(200).reshape(100, 2), scale="ordinal")
    with pytest.raises(ValueError, match="needs both labels"):
        cohen_kappa([1.0, NONE], [1.0, 1.0])
    with pytest.raises(ValueError, match="among the labels"):
        cohen_kappa([1, 2], [1, 3], labels=(1, 2))


def labelled(rng: np.random.Generator, n: int) -> np.ndarray:
    truth = rng.integers(0, 3, n)
    return np.where(rng.random((n, 3)) < 0.6, truth[:, None], rng.integers(0, 3, (n, 3)))


def rated(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.clip(np.round(3 + rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, 3))), 1, 5)


def covered(simulate: Callable[[np.random.Generator, int], np.ndarray], scale: Any, *, items: int, runs: int) -> float:
    """Share of intervals that hold the alpha of very many items."""
    truth = krippendorff_alpha(simulate(np.random.default_rng(1), 300_000), scale=scale, rounds=2).value
    hits = 0
    for seed in range(runs):
        low, high = krippendorff_alpha(simulate(np.random.default_rng(seed), items), scale=scale, rounds=800).interval
        hits += low <= truth <= high
    return hits / runs


@pytest.mark.parametrize(("simulate", "scale"), [(labelled, "nominal"), (rated, "ordinal"), (rated, "interval")])
def test_intervals_of_alpha_cover(simulate, scale) -> None:
    assert 0.93 <= covered(simulate, scale, items=60, runs=600) <= 0.97


def sparse(rng: np.random.Generator, n: int) -> np.ndarray:
    table = rated(rng, n)
    table[rng.random(table.shape) < 0.25] = NONE
    return table


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_intervals_of_alpha_cover_where_ratings_are_missing(scale) -> None:
    assert 0.93 <= covered(sparse, scale, items=100, runs=2000) <= 0.97


def test_clusters_widen_the_interval() -> None:
    table = np.repeat(labelled(np.random.default_rng(3), 60), 5, axis=0)
    groups = np.arange(300) // 5
    for statistic in (krippendorff_alpha, gwet_ac1):
        narrow, wide = statistic(table).interval, statistic(table, groups=groups).interval
        assert wide[1] - wide[0] > 1.8 * (narrow[1] - narrow[0])
    many = cohen_kappa(table[:, 0], table[:, 1], groups=groups)
    once = cohen_kappa(table[::5, 0], table[::5, 1])
    assert many.value == pytest.approx(once.value)
    assert many.interval == pytest.approx(once.interval, abs=0.02)


def test_a_million_items() -> None:
    table = labelled(np.random.default_rng(5), 1_000_000)
    began = time.process_time()
    found = [krippendorff_alpha(table), gwet_ac1(table), cohen_kappa(table[:, 0], table[:, 1])]
    assert time.process_time() - began < 5
    assert all(0.355 < f.value < 0.365 and f.interval[1] - f.interval[0] < 0.004 for f in found)
