"""EQ-Bench: emotion ratings of 30 models before and after they review themselves (Paech, 2023)."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from whetstone.stats import paired_permutation


def points(answer, reference) -> float | None:
    """A question's score from 0 to 10; None when an emotion is missing or no number."""
    try:
        said = {name.strip().lower(): float(value) for name, value in answer.items()}
        gaps = [
            abs(said[str(reference[f"emotion{i}"]).strip().lower()] - float(reference[f"emotion{i}_score"]))
            for i in range(1, 5)
        ]
    except (KeyError, ValueError, TypeError):
        return None
    return 10 - 0.7477 * sum(0 if d == 0 else 6.5 / (1 + math.exp(-1.2 * (d - 4))) if d <= 5 else d for d in gaps)


@pytest.fixture(scope="module")
def scored(recorded, rows):
    """For each model its published score and, by run, first and revised points of each question."""
    with gzip.open(recorded("eq_bench") / "questions_v2_171.json.gz", "rt", encoding="utf-8") as file:
        gold = {key: question["reference_answer_fullscale"] for key, question in json.load(file).items()}
    found = {}
    for row in rows(recorded("eq_bench") / "results_30models.jsonl.gz"):
        runs = [
            {
                key: tuple(points(both[kind], gold[key]) for kind in ("first_pass", "revised"))
                for key, both in run.items()
            }
            for run in row["answers"].values()
        ]
        found[row["model"]] = (row["benchmark_score"], runs)
    return found


def run_score(run) -> float:
    """The mean of first answers, or of revised ones when better and nearly as many can be read; 0 to 100."""
    first, revised = ([pair[i] for pair in run.values() if pair[i] is not None] for i in (0, 1))
    if len(revised) >= 0.95 * len(first) and revised and np.mean(revised) > np.mean(first):
        return float(10 * np.mean(revised))
    return float(10 * np.mean(first))


def test_published_scores(scored) -> None:
    gaps = [abs(np.mean([run_score(run) for run in runs]) - published) for published, runs in scored.values()]
    assert len(gaps) == 30
    assert max(gaps) < 0.02


def test_what_models_gain_by_reviewing_themselves(scored) -> None:
    gain = {}
    for model, (_, runs) in scored.items():
        both = [pair for run in runs for pair in run.values() if None not in pair]
        if len(both) >= 100:
            gain[model] = paired_permutation([pair[1] for pair in both], [pair[0] for pair in both])
    better = [test for test in gain.values() if test.p < 0.05 and test.effect.value > 0]
    worse = [test for test in gain.values() if test.p < 0.05 and test.effect.value < 0]
    assert (len(gain), len(better), len(worse)) == (22, 0, 16), "reviewing its own answer helps none of these models"
