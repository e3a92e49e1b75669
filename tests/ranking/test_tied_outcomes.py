"""Several outcomes tied to one strength: planted discriminations, a naive twin, faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from whetstone.core.errors import TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.tied_outcomes import tied_outcomes

NAMES = ("a", "b", "c", "d", "e")
TRUTH = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def drawn(n, slopes, *, seed=0, nus=None):
    rng = np.random.default_rng(seed)
    left = rng.integers(5, size=n)
    right = (left + rng.integers(1, 5, size=n)) % 5
    found = {}
    for i, slope in enumerate(slopes):
        nu = nus[i] if nus else 0.0
        half = np.exp(slope * (TRUTH[left] - TRUTH[right]) / 2)
        u = rng.random(n) * (half + 1 / half + nu)
        found[f"o{i}"] = Comparisons(NAMES, left, right, np.where(u < half, 1, np.where(u < half + nu, 0, -1)))
    return found


def test_finds_what_each_outcome_says_about_strength():
    found = tied_outcomes(drawn(6000, [1.0, 0.5, 0.0, -1.0], nus=[0.4, 0.0, 0.3, 0.0]), ties="davidson")
    effects = found.settings["effects"]
    assert found.scores == pytest.approx(TRUTH, abs=0.1)
    assert [effects[f"o{i}"]["value"] for i in (1, 2, 3)] == pytest.approx([0.5, 0.0, -1.0], abs=0.1)
    assert effects["o2"]["p"] > 0.05
    assert effects["o1"]["p"] < 1e-6
    assert effects["log tie parameter, o0"]["value"] == pytest.approx(np.log(0.4), abs=0.1)
    assert "log tie parameter, o1" not in effects


def test_reaches_the_maximum_of_the_likelihood_written_down_plainly():
    tables = drawn(80, [1.0, 0.6, -0.4], seed=3)

    def loss(theta):
        strengths, slopes = np.append(theta[:4], -theta[:4].sum()), np.append(1.0, theta[4:])
        return sum(
            np.logaddexp(0, -table.outcome * slope * (strengths[table.left] - strengths[table.right])).sum()
            for slope, table in zip(slopes, tables.values(), strict=True)
        )

    naive = optimize.minimize(loss, np.append(np.linspace(1, -0.5, 4), [0.5, 0.5]), method="BFGS", tol=1e-10)
    found = tied_outcomes(tables)
    effects = [effect["value"] for effect in found.settings["effects"].values()]
    assert np.append(found.scores[:4], effects) == pytest.approx(naive.x, abs=1e-4)


def test_a_second_outcome_makes_strengths_more_certain_and_a_coin_does_not():
    tables = drawn(500, [1.0, 1.0, 0.0])
    alone, both, coin = (
        np.sqrt(tied_outcomes({name: tables[name] for name in names}).covariance.diagonal()).mean()
        for names in (("o0",), ("o0", "o1"), ("o0", "o2"))
    )
    assert both < 0.85 * alone
    assert coin == pytest.approx(alone, rel=0.05)


def test_one_outcome_is_bradley_terry():
    tables = drawn(300, [1.0])
    found, expected = tied_outcomes(tables), bradley_terry(tables["o0"], covariance="sandwich")
    assert found.scores == pytest.approx(expected.scores, abs=1e-8)
    assert found.covariance == pytest.approx(expected.covariance * 300 / 299, abs=1e-8)


def test_outcomes_of_the_same_rows_are_not_counted_as_independent():
    table = drawn(300, [1.0])["o0"]
    twice = tied_outcomes({"one": table, "again": table})
    once = tied_outcomes({"one": table})
    assert twice.scores == pytest.approx(once.scores, abs=1e-6)
    assert np.sqrt(twice.covariance.diagonal()) == pytest.approx(np.sqrt(once.covariance.diagonal()), rel=1e-4)


def test_rows_left_out_are_counted_over_all_outcomes():
    tables = {name: replace(table, dropped={"no winner": 2}) for name, table in drawn(100, [1.0, 0.5]).items()}
    assert "4 rows not used: no winner" in tied_outcomes(tables).notes


def test_equal_strengths_leave_unknown_how_outcomes_follow_them():
    left, right = np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 1, 2, 0])
    level = Comparisons(NAMES[:3], left, right, np.repeat([1, -1], 3))
    with pytest.raises(TaskError, match="all strengths are equal"):
        tied_outcomes({"one": level, "other": level})


def test_faults():
    table = drawn(30, [1.0])["o0"]
    other = Comparisons(NAMES[::-1], table.left, table.right, table.outcome)
    grouped = Comparisons(NAMES, table.left, table.right, table.outcome, group=np.arange(30))
    with pytest.raises(TaskError, match="same names"):
        tied_outcomes({"x": table, "y": other})
    with pytest.raises(TaskError, match="at least one"):
        tied_outcomes({})
    with pytest.raises(TaskError, match="to all or to none"):
        tied_outcomes({"x": table, "y": grouped})
