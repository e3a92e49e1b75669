"""WildBench: judge scores of 1 to 10 for four models; published means, and what the same scores say of pairs."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest

from whetstone.stats import compare_systems, interquartile_mean, mean, performance_profile


@pytest.fixture(scope="module")
def scores(recorded):
    found: dict[str, dict[str, float]] = {}
    with gzip.open(recorded("wildbench_scores") / "scores.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["model"], {})[row["session_id"]] = float(row["score"])
    return found


def test_published_means_are_reproduced(scores, recorded):
    expected = json.loads((recorded("wildbench_scores") / "expected.json").read_text())
    for model, published in expected.items():
        found = mean(list(scores[model].values()))
        assert found.n == published["total"]
        assert found.value == pytest.approx(published["score"], rel=1e-12)
        assert 2 * (found.value - 5) == pytest.approx(published["adjusted_score"], rel=1e-9)
        assert found.interval[0] < published["score"] < found.interval[1]


def test_all_four_are_told_apart_by_every_test(scores):
    shared = sorted(set.intersection(*(set(of) for of in scores.values())))
    table = {model: [of[item] for item in shared] for model, of in scores.items()}
    order = ["Qwen1.5-72B-Chat-greedy", "gpt-3.5-turbo-0125", "reka-edge", "gemma-2b-it"]
    for test in ("t", "bootstrap", "permutation", "sign"):
        found = compare_systems(table, test=test)
        assert found.ties == tuple((model,) for model in order)
        assert all(pair.separated for pair in found.pairs)
    middle = [interquartile_mean(table[model], rounds=200).value for model in order]
    assert middle == sorted(middle, reverse=True)
    best, worst = (performance_profile(table[model], np.arange(1, 10)) for model in (order[0], order[-1]))
    assert (best.low > worst.high).sum() >= 7
    assert (best.share >= worst.share).all()
