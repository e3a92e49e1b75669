"""Strengths with covariates: planted effects, statsmodels' numbers, faults by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from whetstone.core.errors import TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.contextual_bradley_terry import contextual_bradley_terry
from whetstone.ranking.covariates import difference, position, same_family

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def drawn(n, *, seed=0, first=0.0, length=0.0, nu=0.0, strengths=TRUTH):
    """Comparisons swayed by the order shown and by a covariate that goes with strength; and the covariate."""
    rng = np.random.default_rng(seed)
    left = rng.integers(5, size=n)
    right = (left + rng.integers(1, 5, size=n)) % 5
    covariate = rng.normal(size=n) + 0.5 * (strengths[left] - strengths[right])
    left_first = rng.random(n) < 0.5
    odds = strengths[left] - strengths[right] + length * covariate + first * np.where(left_first, 1, -1)
    half = np.exp(odds / 2)
    u = rng.random(n) * (half + 1 / half + nu)
    outcome = np.where(u < half, 1, np.where(u < half + nu, 0, -1))
    return Comparisons(NAMES, left, right, outcome, left_first=left_first), covariate


@pytest.fixture(scope="module")
def reference():
    return json.loads(Path(__file__).with_name("models_reference.json").read_text(encoding="utf-8"))["contextual"]


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_finds_planted_effects_and_strengths(ties):
    comparisons, length = drawn(20_000, first=0.4, length=0.8, nu=0.5 * (ties == "davidson"))
    found = contextual_bradley_terry(comparisons, covariates={"length": length}, ties=ties)
    effects = found.settings["effects"]
    assert found.scores == pytest.approx(TRUTH, abs=0.1)
    assert effects["shown first"]["value"] == pytest.approx(0.4, abs=0.06)
    assert effects["length"]["value"] == pytest.approx(0.8, abs=0.06)
    if ties == "davidson":
        assert effects["log tie parameter"]["value"] == pytest.approx(np.log(0.5), abs=0.1)
    without = contextual_bradley_terry(comparisons, ties=ties, position=False)
    assert np.abs(without.scores - TRUTH).max() > 0.2


def test_no_effect_is_found_where_there_is_none():
    claims = 0
    for seed in range(100):
        comparisons, length = drawn(400, seed=seed)
        effects = contextual_bradley_terry(comparisons, covariates={"length": length}).settings["effects"]
        claims += (effects["length"]["p"] < 0.05) + (effects["shown first"]["p"] < 0.05)
    assert claims <= 0.085 * 200


@pytest.mark.parametrize("grouped", [False, True])
def test_estimates_and_covariances_are_those_of_statsmodels(reference, grouped):
    rows = {name: np.asarray(reference[name]) for name in ("left", "right", "outcome", "left_first", "group")}
    comparisons = Comparisons(
        NAMES,
        rows["left"],
        rows["right"],
        rows["outcome"],
        left_first=rows["left_first"],
        group=rows["group"] if grouped else None,
    )
    found = contextual_bradley_terry(comparisons, covariates={"length": reference["length"]})
    expected = np.asarray(reference["parameters"])
    effects = found.settings["effects"]
    assert found.scores[1:] - found.scores[0] == pytest.approx(expected[:4], abs=1e-8)
    assert [effects[name]["value"] for name in ("shown first", "length")] == pytest.approx(expected[4:], abs=1e-8)
    units = len(set(reference["group"])) if grouped else len(comparisons)
    covariance = np.asarray(reference["clustered" if grouped else "hc0"]) * units / (units - 1)
    against_first = np.hstack([-np.ones((4, 1)), np.eye(4)])
    assert against_first @ found.covariance @ against_first.T == pytest.approx(covariance[:4, :4], abs=1e-9)
    assert effects["length"]["stderr"] == pytest.approx(np.sqrt(covariance[5, 5]), abs=1e-9)


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_without_covariates_it_is_bradley_terry(ties):
    comparisons, _ = drawn(300, nu=0.6)
    found = contextual_bradley_terry(comparisons, position=False, ties=ties)
    expected = bradley_terry(comparisons, ties=ties, covariance="sandwich")
    assert found.scores == pytest.approx(expected.scores, abs=1e-7)
    assert found.covariance == pytest.approx(expected.covariance * 300 / 299, abs=1e-7)


def test_a_prior_is_that_of_bradley_terry_and_named():
    rows = Comparisons(NAMES[:3], np.array([0, 0, 0, 1, 2]), np.array([1, 2, 1, 2, 1]), np.array([1, 1, 1, 1, 1]))
    found = contextual_bradley_terry(rows, position=False)
    expected = bradley_terry(rows)
    assert found.scores == pytest.approx(expected.scores, abs=1e-8)
    assert found.covariance == pytest.approx(expected.covariance, abs=1e-8)
    assert "never lost (nor tied): a" in " ".join(found.notes)
    with pytest.raises(TaskError, match="never lost"):
        contextual_bradley_terry(rows, position=False, prior=0.0)


def test_a_covariate_that_is_strength_is_refused_by_name():
    comparisons, _ = drawn(300)
    size = np.array([7.0, 13.0, 70.0, 1.0, 3.0])
    with pytest.raises(TaskError, match="covariate size: the same in every comparison of a pair"):
        contextual_bradley_terry(comparisons, covariates={"size": size[comparisons.left] - size[comparisons.right]})


def test_a_covariate_that_decides_everything_is_refused_by_name():
    comparisons, _ = drawn(300)
    with pytest.raises(TaskError, match="covariate oracle: decides every comparison"):
        contextual_bradley_terry(comparisons, covariates={"oracle": comparisons.outcome.astype(float)})


def test_faulty_covariates_name_row_and_column():
    comparisons, length = drawn(50)
    length[6] = np.nan
    with pytest.raises(TaskError, match="row 7, covariate 'length'"):
        contextual_bradley_terry(comparisons, covariates={"length": length})
    with pytest.raises(TaskError, match="has the shape"):
        contextual_bradley_terry(comparisons, covariates={"length": [1.0]})


def test_swapping_sides_changes_nothing():
    comparisons, length = drawn(400, first=0.5, length=0.5, nu=0.3)
    swapped = Comparisons(
        NAMES, comparisons.right, comparisons.left, -comparisons.outcome, left_first=~comparisons.left_first
    )
    ours = contextual_bradley_terry(comparisons, covariates={"length": length}, ties="davidson")
    theirs = contextual_bradley_terry(swapped, covariates={"length": -length}, ties="davidson")
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-8)
    assert ours.covariance == pytest.approx(theirs.covariance, abs=1e-8)


def test_position_is_one_where_nothing_is_said():
    comparisons = Comparisons(NAMES, np.array([0, 1]), np.array([1, 2]), np.array([1, 0]))
    assert position(comparisons).tolist() == [1, 1]


def test_difference_is_relative_or_plain():
    assert difference([30, 0, 5], [10, 0, 5]).tolist() == [0.5, 0.0, 0.0]
    assert difference([30], [10], relative=False).tolist() == [20]
    with pytest.raises(TaskError, match="row 2"):
        difference([1, -1], [1, 1])
    with pytest.raises(TaskError, match="shapes"):
        difference([1, 2], [1])


def test_same_family_favours_the_judges_own():
    comparisons = Comparisons.from_labels(
        ["gpt", "claude", "gpt", "other"], ["claude", "gpt", "gpt2", "claude"], [1, 1, 1, 1], judge=["g", "g", "g", "n"]
    )
    families = {"gpt": "openai", "gpt2": "openai", "claude": "anthropic", "g": "openai"}
    assert same_family(comparisons, families).tolist() == [1, -1, 0, 0]
    with pytest.raises(TaskError, match="judge is missing"):
        same_family(drawn(5)[0], families)


def test_a_judge_that_favours_its_family_is_found_out():
    rng = np.random.default_rng(0)
    comparisons, _ = drawn(4000)
    judge = rng.integers(2, size=4000)
    judged = Comparisons(
        NAMES, comparisons.left, comparisons.right, comparisons.outcome, judge=judge, judges=("judge_a", "judge_b")
    )
    own = same_family(judged, {"a": "A", "judge_a": "A", "b": "B", "judge_b": "B"})
    swayed = np.where((own != 0) & (rng.random(4000) < 0.4), own, judged.outcome).astype(int)
    biased = Comparisons(NAMES, judged.left, judged.right, swayed)
    honest = Comparisons(NAMES, judged.left, judged.right, judged.outcome)
    found, none = (
        contextual_bradley_terry(c, covariates={"family": own}).settings["effects"]["family"] for c in (biased, honest)
    )
    assert found["low"] > 0.3
    assert none["low"] < 0 < none["high"]
