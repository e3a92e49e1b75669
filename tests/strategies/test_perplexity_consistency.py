"""Perplexity consistency and reasoning pruning."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from scipy.stats import weibull_min

from whetstone.strategies.perplexity_consistency import keep, perplexity_consistency, weibull
from whetstone.strategies.self_consistency import self_consistency

PATHS = {("1", i): 0.08 for i in range(5)} | {("2", i): 0.07 for i in range(5)} | {("3", 0): 0.25}


def world(toy):
    """Eleven paths of known probability: answer 1 has .40, answer 2 has .35, answer 3 has .25 on one path."""

    def model(request):
        (answer, i), p = toy.luck(request).choices(list(PATHS.items()), weights=list(PATHS.values()))[0]
        return toy.said(f"path {i}: the answer is {answer}", p)

    return model


def confidence_errors(toy, strategy, n, **options) -> tuple[float, float]:
    """Share of questions answered 1, and mean absolute error of the confidence in the answer given."""
    flows = {str(i): strategy(toy.task, toy.question(i), n=n, **options) for i in range(100)}
    outcomes = list(toy.every(flows, world(toy)).results.values())
    true = {"1": 0.40, "2": 0.35, "3": 0.25}
    right = sum(outcome.answer == "1" for outcome in outcomes) / 100
    return right, sum(abs(o.confidence.value - true[o.answer]) for o in outcomes) / 100


def test_is_exact_on_a_known_distribution_where_votes_are_noisy(toy) -> None:
    """Once every path was seen the summed probabilities are exact, while a vote's error falls like 1 / sqrt(n)."""
    exact, error = confidence_errors(toy, perplexity_consistency, 80, length_normalised=False, prune=False)
    voted, noise = confidence_errors(toy, self_consistency, 80)
    assert exact > 0.97 > voted
    assert error < 0.005 < 0.03 < noise


def test_equal_texts_count_once(toy) -> None:
    replies = iter([toy.said("x: the answer is 1", 0.4)] * 3 + [toy.said("y: the answer is 2", 0.5)])
    outcome = toy.run(perplexity_consistency(toy.task, toy.question(1), n=4), lambda request: next(replies))
    assert (outcome.answer, outcome.confidence.value) == ("2", pytest.approx(0.5 / 0.9))


def test_pruning_drops_the_planted_improbable_paths() -> None:
    rng = Random(0)
    low, high = [rng.uniform(0.01, 0.06) for _ in range(20)], [rng.uniform(0.75, 0.95) for _ in range(20)]
    kept = keep(low + high)
    assert sum(kept[:20]) <= 3
    assert all(kept[20:])
    assert keep([0.5, 0.5, 0.4]) == [True] * 3, "too few to tell apart"
    assert all(keep([0.9 - i / 1000 for i in range(20)])[:10]), "what lies above the mean is never dropped"


def test_the_density_is_weibull_s() -> None:
    x = np.array([0.1, 0.5, 0.9])
    assert weibull(x, 1.5, 2.0) == pytest.approx(weibull_min.pdf(x, 1.5, scale=2.0))
    assert weibull(x, 400.0, 0.01) == pytest.approx([0, 0, 0]), "extreme shapes neither warn nor give NaN"


def test_abstains_without_probabilities(toy) -> None:
    outcome = toy.run(
        perplexity_consistency(toy.task, toy.question(1), n=2), lambda request: toy.said("the answer is 1")
    )
    assert "no token log-probabilities" in outcome.confidence.abstained
