"""How many more comparisons would tell two systems apart: the number has the power that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.battles_needed import battles_needed
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.ranking import Ranking


def pair(wins: int, losses: int) -> Ranking:
    return bradley_terry(
        Comparisons.from_labels(["a"] * (wins + losses), ["b"] * (wins + losses), [1] * wins + [-1] * losses)
    )


def test_that_many_battles_have_the_power() -> None:
    before = pair(60, 50)
    more = battles_needed(before, "a", "b").value
    assert more is not None
    rng = np.random.default_rng(0)
    n = 110 + int(more)
    significant = 0
    for wins in rng.binomial(n, 60 / 110, 400):
        after = pair(int(wins), n - int(wins))
        assert after.low is not None
        significant += bool(after.low[0] > 0)
    assert significant / 400 == pytest.approx(0.8, abs=0.06)


def test_none_are_needed_where_the_difference_is_clear() -> None:
    found = battles_needed(pair(900, 100), "b", "a")
    assert found.value == 0
    assert found.interval == (0, 0)


def test_smaller_differences_and_simultaneous_statements_need_more() -> None:
    near, far = pair(52, 48), pair(60, 40)
    assert battles_needed(near, "a", "b").value > battles_needed(far, "a", "b").value  # type: ignore[operator]
    three = bradley_terry(
        Comparisons.from_labels(["a", "b", "c"] * 40, ["b", "c", "a"] * 40, [1, 1, 1] * 22 + [-1, -1, 1] * 18)
    )
    one, all_pairs = (battles_needed(three, "a", "b", simultaneous=s).value for s in (False, True))
    assert one is not None
    assert all_pairs is not None
    assert all_pairs > one


def test_the_interval_reaches_to_infinity_where_the_difference_may_be_nothing() -> None:
    found = battles_needed(pair(52, 48), "a", "b")
    assert found.interval is not None
    assert found.interval[1] == np.inf


def test_equal_scores_have_no_number() -> None:
    found = battles_needed(pair(50, 50), "a", "b")
    assert found.value is None
    assert found.note.startswith("the two scores are equal")


def test_wrong_questions_are_named() -> None:
    ranking = pair(52, 48)
    with pytest.raises(ConfigError, match="no system is called 'x'; there are a, b"):
        battles_needed(ranking, "a", "x")
    with pytest.raises(ConfigError, match="from itself"):
        battles_needed(ranking, "a", "a")
    with pytest.raises(ConfigError, match="no covariance of log-odds"):
        battles_needed(ranking.rescaled(factor=173.7, scale="elo"), "a", "b")
