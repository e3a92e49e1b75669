"""PandaLM: three people's labels of 999 pairs and a judge's (Wang et al., 2023)."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest

from whetstone.audits.contention import contention
from whetstone.audits.judging_modes import judging_modes
from whetstone.audits.rater_agreement import rater_agreement
from whetstone.audits.rater_replacement import rater_replacement
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


def rounded(found) -> dict[str, tuple[float, float, float, int]]:
    return {f.name: (*(round(v, 2) for v in (f.estimate, *f.interval)), f.n) for f in found}


def test_the_judge_by_how_far_people_agree(people, judge) -> None:
    votes = [{str(label): float(n) for label, n in Counter(row.tolist()).items()} for row in people]
    found = contention([[str(label)] for label in judge], votes, split=0.9, top=1)
    told = rounded(f for f in found if f.name in ("accuracy clear", "accuracy contested", "gap"))
    assert told["accuracy clear"] == (0.73, 0.7, 0.76, 879)
    assert told["accuracy contested"] == (0.55, 0.46, 0.64, 120)
    assert told["gap"] == (0.18, 0.09, 0.28, 999)


def test_the_judge_in_the_mode_of_pairs(people, judge) -> None:
    letters = np.array(["C", "A", "B"])
    found = judging_modes({"pairs": letters[judge].tolist()}, {"pairs": letters[majority(people)].tolist()})
    told = {"pairs": (0.71, 0.68, 0.74, 999), "pairs without ties": (0.82, 0.79, 0.84, 849)}
    assert rounded(found) == told


def test_the_judge_beside_people_and_in_the_place_of_one(people, judge) -> None:
    beside = rater_agreement({"human": majority(people).tolist(), "judge": judge.tolist()}, scale="nominal")
    told = rounded(beside)
    assert (told["kappa judge"], told["ac1 judge"]) == ((0.5, 0.45, 0.54, 999), (0.59, 0.55, 0.63, 999))
    ordered = np.array([0.0, 1.0, -1.0])
    told = rounded(f for f in rater_replacement(ordered[people], ordered[judge]) if f.name in ("replace", "helps 1"))
    assert told == {"replace": (-0.21, -0.24, -0.17, 999), "helps 1": (-0.07, -0.08, -0.05, 999)}
