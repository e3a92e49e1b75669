"""Audits of recorded scores find what was planted, and nothing in fair scores."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.score_columns import SPACES, Scores, audit_scores, preferences, scored
from whetstone.audits.verdict_columns import Encoder
from whetstone.core.errors import TaskError


def planted(*, skill: float, length: float, n: int = 300, graded: bool = False, seed: int = 0) -> Scores:
    """Four answers a prompt; the score follows the label by `skill` and the answer's length by `length`."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 5 if graded else 2, 4 * n).astype(float)
    lengths = rng.integers(10, 200, 4 * n).astype(float)
    value = skill * label + length * (lengths - 100) / 50 + rng.normal(size=4 * n)
    return Scores(value, np.repeat(np.arange(n), 4), label, lengths)


def test_finds_the_planted_skill_and_leaning() -> None:
    found = {f.name: f for f in audit_scores(planted(skill=2.0, length=0.0, seed=1))}
    assert found["auroc"].estimate == pytest.approx(0.92, abs=0.03)
    assert found["auroc"].verdict == "separates right from wrong"
    assert found["length_errors"].p > 0.05
    leaning = {f.name: f for f in audit_scores(planted(skill=2.0, length=1.5))}
    assert leaning["longer_answer"].estimate > 0.7
    assert leaning["length_errors"].interval[0] > 0.15
    assert leaning["length_errors"].verdict == "prefers longer answers"


def test_finds_nothing_in_noise() -> None:
    rejected = sum(
        {f.name: f for f in audit_scores(planted(skill=0.0, length=0.0, n=60, seed=seed))}[name].p < 0.05
        for seed in range(40)
        for name in ("auroc", "length_errors", "longer_answer")
    )
    assert rejected <= 13, "5 % of 120 tests are 6"


def test_degrees_and_probabilities() -> None:
    graded = {f.name: f for f in audit_scores(planted(skill=1.0, length=0.0, graded=True))}
    assert graded["rank_correlation"].interval[0] > 0.7
    assert "auroc" not in graded
    rng = np.random.default_rng(0)
    stated = rng.random(2000)
    right = (rng.random(2000) < stated).astype(float)
    honest = {f.name: f for f in audit_scores(Scores(stated, np.arange(2000), right))}
    assert honest["ece"].p > 0.05
    boastful = {f.name: f for f in audit_scores(Scores(np.sqrt(stated), np.arange(2000), right))}
    assert boastful["ece"].verdict == "is not calibrated"


def test_rows_become_columns_and_neighbours_pairs() -> None:
    encoder = Encoder(SPACES)
    for prompt, system, score in (("p", "a", 3), ("q", "a", None), ("p", "b", 1), ("q", "b", 2), ("p", "c", 1)):
        encoder.add({"prompt": prompt, "system": system, "score": score, "label": score or 0, "length": 5})
    scores = scored(encoder.columns())["judge"]
    assert scores.names == ("a", "b", "c")
    pairs = preferences(scores).verdicts
    assert pairs.chosen[:2].tolist() == [1, 0.5]
    assert np.isnan(pairs.chosen[2])
    assert pairs.groups.tolist() == [0, 0, 1]
    encoder.add({"score": "high"})
    with pytest.raises(TaskError, match="row 6: score is 'high'"):
        scored(encoder.columns())


def test_a_score_beyond_all_floats_is_named_by_row() -> None:
    encoder = Encoder(SPACES)
    encoder.add({"score": 10**400})
    with pytest.raises(TaskError, match=r"row 1: score is 1000.*; it must be a number"):
        scored(encoder.columns())
