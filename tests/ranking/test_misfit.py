"""The goodness-of-fit test finds a planted cycle and nothing where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.misfit import misfit


def battles(seed: int, *, cycle: float = 0.0, tie: float = 0.0, n: int = 3000, k: int = 6) -> Comparisons:
    rng = np.random.default_rng(seed)
    truth = np.linspace(-1, 1, k)
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    d = truth[left] - truth[right] + cycle * np.where((right - left) % 3 == 1, 1, -1) * ((right - left) % 3 != 0)
    odds = np.stack([np.exp(d / 2), np.full(n, tie), np.exp(-d / 2)])
    share = rng.random(n) * odds.sum(axis=0)
    outcome = np.where(share < odds[0], 1, np.where(share < odds[0] + odds[1], 0, -1))
    return Comparisons(tuple(map(str, range(k))), left, right, outcome)


@pytest.mark.parametrize("tie", [0.0, 0.7])
def test_p_values_are_even_where_the_model_holds(tie: float) -> None:
    found = [misfit(battles(seed, tie=tie)) for seed in range(100)]
    values = np.array([test.p for test in found], dtype=float)
    assert 0.4 < values.mean() < 0.6
    assert 0.01 <= (values < 0.1).mean() < 0.2
    assert np.mean([test.effect.value for test in found]) == pytest.approx(1, abs=0.1)


def test_a_planted_cycle_is_found() -> None:
    found = misfit(battles(0, cycle=0.5))
    assert found.p is not None
    assert found.p < 1e-6
    assert found.effect.value is not None
    assert found.effect.value > 3


def test_a_tree_of_pairs_leaves_nothing_to_test() -> None:
    made = Comparisons.from_labels(list("abbc") * 10, list("bacb") * 10, [1, 1, 1, 1] * 5 + [1, -1, 1, -1] * 5)
    found = misfit(made)
    assert found.p is None
    assert "nothing is left to test" in found.effect.note
