"""PandaLM: three people's labels of 999 pairs and a judge's (Wang et al., 2023)."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from whetstone.stats.agreement import cohen_kappa, krippendorff_alpha
from whetstone.stats.raters import fleiss_kappa


@pytest.fixture(scope="module")
def people(recorded):
    with gzip.open(recorded("pandalm") / "testset-v1.json.gz", "rt", encoding="utf-8") as file:
        return np.array([[row[f"annotator{i}"] for i in (1, 2, 3)] for row in json.load(file)])


@pytest.fixture(scope="module")
def judge(recorded):
    with gzip.open(recorded("pandalm") / "gpt-3.5-turbo-testset-v1.json.gz", "rt", encoding="utf-8") as file:
        return np.array([{"1": 1, "2": 2}.get(row["gpt_result"], 0) for row in json.load(file)])


def majority(people) -> np.ndarray:
    return np.array([Counter(row.tolist()).most_common(1)[0][0] for row in people])


def test_majority_labels_and_kappas_between_people(people) -> None:
    assert np.bincount(majority(people)).tolist() == [105, 422, 472]
    kappas = [cohen_kappa(people[:, i], people[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert [round(kappa.value, 2) for kappa in kappas] == [0.85, 0.88, 0.86]
    assert all(0.02 < kappa.interval[1] - kappa.interval[0] < 0.08 for kappa in kappas)
    assert krippendorff_alpha(people).value == pytest.approx(fleiss_kappa(people).value, abs=1e-3)


def test_the_judge_against_the_majority(people, judge) -> None:
    truth = majority(people)
    table = np.array([[np.sum((truth == t) & (judge == j)) for j in range(3)] for t in range(3)])
    right = np.diag(table)
    precision, recall = right / table.sum(axis=0), right / table.sum(axis=1)
    assert 100 * right.sum() / table.sum() == pytest.approx(71.07, abs=0.005)
    assert 100 * precision.mean() == pytest.approx(58.79, abs=0.005)
    assert 100 * recall.mean() == pytest.approx(57.36, abs=0.005)
    assert 100 * (2 * precision * recall / (precision + recall)).mean() == pytest.approx(57.55, abs=0.005)
    kappa = cohen_kappa(judge, truth)
    assert kappa.interval[0] > 0.4
    assert kappa.interval[1] < cohen_kappa(people[:, 0], people[:, 1]).interval[0], "people agree better"
