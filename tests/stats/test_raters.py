"""Intraclass correlation against the published example, another library and simulations; Fleiss' kappa by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.stats.raters import Model, fleiss_kappa, intraclass_correlation

# Shrout and Fleiss (1979), table 2: six targets, four judges.
PUBLISHED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
REFERENCE = Path(__file__).parents[1] / "ranking" / "social_choice_reference.json"
MODELS: dict[Model, str] = {"one-way": "1", "two-way random": "A", "two-way mixed": "C"}


@pytest.mark.parametrize(
    ("model", "single", "mean", "limits"),
    [
        ("one-way", 0.17, 0.44, (-0.13, 0.72)),
        ("two-way random", 0.29, 0.62, (0.02, 0.76)),
        ("two-way mixed", 0.71, 0.91, (0.34, 0.95)),
    ],
)
def test_published_example(model: Model, single: float, mean: float, limits: tuple[float, float]) -> None:
    one = intraclass_correlation(PUBLISHED, model=model)
    assert one.value == pytest.approx(single, abs=0.006)
    assert one.interval == pytest.approx(limits, abs=0.006)
    assert one.n == 6
    assert intraclass_correlation(PUBLISHED, model=model, mean_of_raters=True).value == pytest.approx(mean, abs=0.006)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mean_of_raters", [False, True])
def test_numbers_of_pingouin(model: Model, mean_of_raters: bool) -> None:
    stored = json.loads(REFERENCE.read_text(encoding="utf-8"))["icc"]
    value, low, high = stored["rows"][f"ICC({MODELS[model]},{'k' if mean_of_raters else 1})"]
    found = intraclass_correlation(stored["ratings"], model=model, mean_of_raters=mean_of_raters)
    assert found.value == pytest.approx(value)
    assert found.interval == pytest.approx((low, high), abs=0.006)


def simulated(rng: np.random.Generator, n: int, k: int, icc: float, bias: float = 0.0) -> np.ndarray:
    """Ratings whose true two-way ICC is `icc` when `bias`, the share of the raters' own levels, is in the rest."""
    rest = 1 - icc
    return (
        rng.normal(0, icc**0.5, (n, 1))
        + rng.normal(0, (rest * bias) ** 0.5, (1, k))
        + rng.normal(0, (rest * (1 - bias)) ** 0.5, (n, k))
    )


@pytest.mark.parametrize(("model", "bias"), [("one-way", 0.0), ("two-way random", 0.3), ("two-way mixed", 0.0)])
def test_intervals_cover_a_known_correlation(model: Model, bias: float) -> None:
    rng = np.random.default_rng(0)
    covered, values = [], []
    for _ in range(400):
        found = intraclass_correlation(simulated(rng, 25, 8, 0.5, bias), model=model)
        assert found.value is not None
        assert found.interval is not None
        covered.append(found.interval[0] <= 0.5 <= found.interval[1])
        values.append(found.value)
    assert np.mean(values) == pytest.approx(0.5, abs=0.04)
    assert 0.92 < np.mean(covered) < 0.98


def test_raters_of_other_levels_cost_agreement_but_not_consistency() -> None:
    rng = np.random.default_rng(1)
    ratings = simulated(rng, 40, 4, 0.7)
    moved = ratings + np.array([0.0, 2, -2, 4])
    for model in ("one-way", "two-way random"):
        assert intraclass_correlation(moved, model=model).value < 0.4  # type: ignore[operator]
    assert intraclass_correlation(moved, model="two-way mixed").value == pytest.approx(
        intraclass_correlation(ratings, model="two-way mixed").value
    )


def test_missing_ratings_are_left_out_and_counted() -> None:
    ratings = np.array(PUBLISHED, dtype=float)
    ratings[0, 1] = np.nan
    found = intraclass_correlation(ratings)
    assert found.value == intraclass_correlation(ratings[1:]).value
    assert found.note == "1 targets without the ratings needed left out"
    one_way = intraclass_correlation(ratings, model="one-way")
    assert one_way.n == 6
    assert not one_way.note
    rng = np.random.default_rng(2)
    whole = simulated(rng, 300, 6, 0.4)
    whole[rng.random(whole.shape) < 0.3] = np.nan
    assert intraclass_correlation(whole, model="one-way").value == pytest.approx(0.4, abs=0.07)


def test_perfect_and_undefined_agreement() -> None:
    same = np.arange(5.0)[:, None] + np.zeros(3)
    for model in MODELS:
        found = intraclass_correlation(same, model=model)
        assert found.value == pytest.approx(1)
        assert found.interval == pytest.approx((1, 1))
    flat = intraclass_correlation(np.ones((4, 3)))
    assert flat.value is None
    assert flat.note == "all ratings are equal"
    with pytest.raises(ValueError, match="two of each"):
        intraclass_correlation([[1.0, 2.0]])
    with pytest.raises(ValueError, match="it can be"):
        intraclass_correlation(PUBLISHED, model="none")  # type: ignore[arg-type]


def test_fleiss_kappa_by_hand() -> None:
    # Three items, two raters: labels 1 and 0 each half of all, two items agreed.
    found = fleiss_kappa([[1, 1], [0, 0], [1, 0]])
    assert found.value == pytest.approx((2 / 3 - 0.5) / 0.5)
    assert found.n == 3
    assert fleiss_kappa([["a", "a"], ["b", "b"]]).value == pytest.approx(1)
    assert fleiss_kappa([[1, 1], [1, 1]]).value is None
    with pytest.raises(ValueError, match="two raters"):
        fleiss_kappa([[1], [2]])


def test_fleiss_kappa_of_another_library() -> None:
    """irrCAC on the stored labels of two raters; its interval, by another method, is about as wide."""
    stored = json.loads(Path(__file__).with_name("agreement_reference.json").read_text())
    found = fleiss_kappa(np.column_stack([stored["first"], stored["second"]]), rounds=8000)
    assert found.value == pytest.approx(stored["fleiss"]["value"], abs=1e-9)
    assert found.interval is not None
    assert np.ptp(found.interval) == pytest.approx(np.ptp(stored["fleiss"]["interval"]), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_intervals_of_fleiss_kappa_cover(share: float) -> None:
    def labelled(rng: np.random.Generator, n: int) -> np.ndarray:
        truth, luck = (rng.choice(3, size, p=[0.5, 0.3, 0.2]) for size in ((n, 1), (n, 4)))
        return np.where(rng.random((n, 4)) < share, truth, luck)

    truth = fleiss_kappa(labelled(np.random.default_rng(1), 300_000), rounds=2).value
    assert truth == pytest.approx(share**2, abs=0.01)
    hits = 0
    for seed in range(1000):
        low, high = fleiss_kappa(labelled(np.random.default_rng(seed), 80), rounds=800).interval
        hits += low <= truth <= high
    assert 0.93 <= hits / 1000 <= 0.97


def test_fleiss_kappa_with_clusters_and_missing_labels() -> None:
    table = np.repeat(np.random.default_rng(3).choice(2, (40, 3)), 5, axis=0)
    narrow, wide = fleiss_kappa(table).interval, fleiss_kappa(table, groups=(np.arange(200) // 5).tolist()).interval
    assert np.ptp(wide) > 1.8 * np.ptp(narrow)
    with pytest.raises(ValueError, match="label by every rater"):
        fleiss_kappa([[1.0, np.nan], [1.0, 0.0]])
