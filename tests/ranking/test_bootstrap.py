"""The refitted bootstrap: exact refits, the right spread with weights and clusters, rounds without a maximum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking import bootstrap as module
from whetstone.ranking.bootstrap import bootstrap
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.likelihood import Fit, Pairs, maximise
from whetstone.ranking.ties import TIES
from whetstone.ranking.uncertainty import clustered, sandwich


def battles(n: int, k: int = 5, seed: int = 0, **columns: Any) -> Comparisons:
    rng = np.random.default_rng(seed)
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    outcome = np.where(rng.random(n) < 0.2, 0, np.where(rng.random(n) < 0.6, np.sign(right - left), 1))
    return Comparisons(tuple(map(str, range(k))), left, right, outcome, **columns)


def fitted(made: Comparisons, ties: str = "half") -> tuple[Pairs, Fit]:
    pairs = Pairs.of(count(made))
    fit = maximise(TIES[ties], pairs)
    assert fit is not None
    return pairs, fit


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("n", [40, 4000])
def test_every_round_is_fitted_to_the_end(monkeypatch: pytest.MonkeyPatch, ties: str, n: int) -> None:
    """What the vectorised steps call settled is the maximum that Newton's method finds alone."""
    pairs, fit = fitted(battles(n), ties)
    drawn = []
    real = module._settle

    def watch(model: Any, pairs: Pairs, counts: Any, fit: Fit) -> Any:
        found = real(model, pairs, counts, fit)
        drawn.append((counts, *found))
        return found

    monkeypatch.setattr(module, "_settle", watch)
    bootstrap(ties, None, pairs, fit, rounds=40, seed=0)
    counts, strengths, settled = drawn[0]
    assert settled.sum() > 10
    for i in np.flatnonzero(settled):
        alone = maximise(TIES[ties], replace(pairs, counts=counts[:, :, i]))
        assert alone is not None
        np.testing.assert_allclose(strengths[i], alone.strengths, atol=1e-7)


@pytest.mark.parametrize("ties", TIES)
def test_its_spread_is_that_of_the_sandwich(ties: str) -> None:
    made = battles(3000)
    pairs, fit = fitted(made, ties)
    spread = np.cov(bootstrap(ties, made, pairs, fit, rounds=2000, seed=0).strengths.T)
    expected = sandwich(TIES[ties], pairs, fit)[:-1, :-1]
    np.testing.assert_allclose(np.sqrt(np.diag(spread)), np.sqrt(np.diag(expected)), rtol=0.07)


def test_with_weights_too() -> None:
    made = battles(3000, weight=np.random.default_rng(1).choice([0.0, 0.5, 3.0], 3000))
    pairs, fit = fitted(made)
    spread = np.cov(bootstrap("half", made, pairs, fit, rounds=2000, seed=0).strengths.T)
    expected = sandwich(TIES["half"], pairs, fit)[:-1, :-1]
    np.testing.assert_allclose(np.sqrt(np.diag(spread)), np.sqrt(np.diag(expected)), rtol=0.07)
    assert np.trace(expected) > 1.2 * np.trace(fit.inverse[:-1, :-1])


def test_with_clusters_too() -> None:
    """Each of 300 battles stands there up to 19 times."""
    cluster = np.repeat(np.arange(300), np.random.default_rng(2).integers(1, 20, 300))
    made = battles(300).take(cluster)
    pairs, fit = fitted(made)
    spread = np.cov(bootstrap("half", made, pairs, fit, rounds=2000, seed=0, cluster=cluster).strengths.T)
    expected, clusters = clustered(TIES["half"], made, fit, cluster)
    assert clusters == 300
    ratio = np.sqrt(np.diag(spread)) / np.sqrt(np.diag(expected[:-1, :-1]))
    np.testing.assert_allclose(ratio, 1, atol=0.12)
    assert np.trace(expected) > 5 * np.trace(sandwich(TIES["half"], pairs, fit))


def test_clusters_of_one_row_are_rows() -> None:
    made = battles(500)
    pairs, fit = fitted(made, "davidson")
    found, clusters = clustered(TIES["davidson"], made, fit, np.arange(500))
    np.testing.assert_allclose(found, sandwich(TIES["davidson"], pairs, fit) * clusters / (clusters - 1), atol=1e-12)


def test_rounds_that_do_not_identify_the_strengths_fall_back_to_the_prior_and_are_counted() -> None:
    made = Comparisons.from_labels(list("abbcca"), list("bacbac"), [1, 1, 1, 1, 1, 1])
    pairs, fit = fitted(made)
    found = bootstrap("half", made, pairs, fit, rounds=300, seed=0)
    assert 100 < found.with_prior < 300
    assert np.isfinite(found.strengths).all()
    assert np.abs(found.strengths).max() < 6


def test_same_seed_same_rounds() -> None:
    made = battles(200)
    pairs, fit = fitted(made)
    first, again = (bootstrap("half", made, pairs, fit, rounds=10, seed=4).strengths for _ in range(2))
    assert first.tolist() == again.tolist()
    with pytest.raises(ConfigError, match="0 rounds"):
        bootstrap("half", made, pairs, fit, rounds=0, seed=4)


def test_very_many_clusters_keep_their_covariance() -> None:
    """Each of 40,000 comparisons stands there twice, in a cluster of its own: that says no more than once."""
    rng, k, n = np.random.default_rng(0), 4, 40_000
    skill = np.linspace(1, -1, k)
    left = rng.integers(k, size=n)
    right = (left + rng.integers(1, k, size=n)) % k
    outcome = np.where(rng.random(n) < 1 / (1 + np.exp(skill[right] - skill[left])), 1, -1)
    once = Comparisons(tuple("abcd"), left, right, outcome)
    twice = Comparisons(
        *(tuple("abcd"), *(np.tile(x, 2) for x in (left, right, outcome))), group=np.tile(np.arange(n), 2)
    )
    found = bradley_terry(twice, rounds=1500)
    assert found.covariance is not None
    exact = bradley_terry(once).covariance
    assert exact is not None
    np.testing.assert_allclose(found.covariance.diagonal(), exact.diagonal(), rtol=0.12)
    assert found.settings["covariance"] == "bootstrap by group"
