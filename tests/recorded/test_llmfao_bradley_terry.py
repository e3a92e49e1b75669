"""Bradley-Terry scores of 8,931 crowd comparisons of 59 models equal those that evalica publishes for them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.judge_correlation import judge_correlation
from whetstone.ranking.reading import read_battles


@pytest.fixture(scope="module")
def crowd(recorded: Callable[[str], Path]) -> Comparisons:
    return read_battles(recorded("llmfao") / "crowd-comparisons.csv.gz")


def golden(recorded: Callable[[str], Path], algorithm: str, names: tuple[str, ...]) -> np.ndarray:
    with gzip.open(recorded("llmfao") / "evalica-golden.csv.gz", "rt") as file:
        scores = {row["item"]: float(row["score"]) for row in csv.DictReader(file) if row["algorithm"] == algorithm}
    return np.array([scores[name] for name in names])


def test_every_row_is_read(crowd: Comparisons) -> None:
    assert len(crowd) == 8931
    assert len(crowd.names) == 59
    assert crowd.dropped == {}
    assert len(crowd.judges) == 124


def test_bradley_terry_scores_are_reproduced(recorded: Callable[[str], Path], crowd: Comparisons) -> None:
    strength = np.exp(bradley_terry(crowd).scores)
    expected = golden(recorded, "bradley_terry", crowd.names)
    np.testing.assert_allclose(strength / strength.sum(), expected, atol=1e-9)


def test_davidson_scores_are_those_called_newman(recorded: Callable[[str], Path], crowd: Comparisons) -> None:
    found = bradley_terry(crowd, ties="davidson")
    expected = golden(recorded, "newman", crowd.names)
    scale = np.exp(np.log(expected).mean())
    np.testing.assert_allclose(np.exp(found.scores) * scale, expected, atol=1e-9)
    assert np.exp(found.settings["tie"]) / 2 == pytest.approx(0.73985, abs=5e-6)


def test_a_better_judge_ranks_more_like_the_crowd(recorded: Callable[[str], Path], crowd: Comparisons) -> None:
    """Each pair of answers as the crowd's majority (ties among votes: the first seen) and as two models saw it."""
    with gzip.open(recorded("llmfao") / "crowd-comparisons.csv.gz", "rt") as file:
        seen: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            seen.setdefault(row["id"], []).append(row["winner"])
    agreement, rank = {}, {}
    for judge in ("gpt4", "gpt3"):
        with gzip.open(recorded("llmfao") / f"{judge}-crowd-comparisons.csv.gz", "rt") as file:
            rows = list(csv.DictReader(file))
        signs = {"left": 1, "right": -1, "tie": 0}
        left, right = [row["left"] for row in rows], [row["right"] for row in rows]
        majority = [max(seen[row["id"]], key=seen[row["id"]].count) for row in rows]
        people, model = (
            Comparisons.from_labels(left, right, [signs[word] for word in words])
            for words in (majority, [row["winner"] for row in rows])
        )
        found = {f.name: f.estimate for f in judge_correlation(people, model, rounds=20)}
        agreement[judge], rank[judge] = found["vote_agreement"], found["rank_spearman"]
    assert agreement["gpt4"] == pytest.approx(0.435, abs=5e-4)
    assert agreement["gpt3"] == pytest.approx(0.379, abs=5e-4)
    assert rank["gpt4"] > rank["gpt3"]
