"""Preferences implied by ratings against stated ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from whetstone.audits.ratings_against_rankings import ratings_against_rankings
from whetstone.core.errors import ConfigError
from whetstone.models.grit import load_grit
from whetstone.tasks.load import load_task


def annotated(seed: int, n: int, wrong: float):
    """Ratings that follow a linear merit, and rankings that contradict them with a known probability."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3))
    gap = np.round(3 * features @ [1.0, 0.5, 0.0])
    ratings = np.column_stack([gap, np.zeros(n)])
    flip = rng.random(n) < wrong
    return ratings, np.where(flip, -np.sign(gap), np.sign(gap)), features


def test_recovers_the_inconsistency_of_annotators_of_known_noise() -> None:
    for wrong in (0.1, 0.4):
        ratings, rankings, features = annotated(1, 1000, wrong)
        found = {f.name: f for f in ratings_against_rankings(ratings, rankings, features=features)}
        low, high = found["contradiction"].interval
        assert low < wrong < high
        assert found["trained on ratings, judged by ratings"].estimate > 0.9
        assert found["trained on rankings, judged by rankings"].estimate == pytest.approx(1 - wrong, abs=0.06)
    ratings, rankings, _ = annotated(2, 200, 0.0)
    sure = {f.name: f for f in ratings_against_rankings(ratings, rankings)}
    assert sure["inconsistency"].estimate == 0
    assert sure["rating_ties"].estimate == sure["ranking_ties"].estimate


def test_a_tie_is_a_preference_of_its_own() -> None:
    found = {f.name: f for f in ratings_against_rankings([[3, 3], [2, 1], [1, 2]], [1, 1, 1])}
    assert found["inconsistency"].estimate == pytest.approx(2 / 3)
    assert (found["contradiction"].estimate, found["contradiction"].n) == (0.5, 2)
    with pytest.raises(ConfigError, match="as many pairs"):
        ratings_against_rankings([[1, 2]], [1, 1])


def test_grit_rates_as_it_compares_after_critiques_and_not_at_once() -> None:
    path = Path(__file__).parents[2] / "docs" / "examples" / "ratings_and_rankings.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    model, task = load_grit(), load_task("ledger:levels=4-9")
    pairs = example.pairs_of(model, task, 40)
    at_once, after = (example.compared(model, task, pairs, critiques=critiques) for critiques in (False, True))
    assert at_once["inconsistency"].interval[0] > 0.5
    assert after["inconsistency"].interval[1] < 0.25
