"""Risk-coverage numbers against their definitions, averaged over all orders of equal scores."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import accuracy_at_coverage, aurc, excess_aurc, risk_coverage, wilson

small = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


def area(correct):
    return float(np.mean(np.cumsum([1 - c for c in correct]) / np.arange(1, len(correct) + 1)))


def by_all_orders(scores, correct):
    """AURC averaged over every order of the rows that is sorted by score."""
    rows = list(zip(scores, correct, strict=True))
    orders = [order for order in permutations(rows) if all(a[0] >= b[0] for a, b in pairwise(order))]
    return float(np.mean([area([right for _, right in order]) for order in orders]))


@settings(max_examples=40, deadline=None)
@given(small)
def test_aurc_is_the_mean_over_all_orders_of_ties(rows):
    scores, correct = zip(*rows, strict=True)
    found = aurc(scores, correct, rounds=2).value
    assert found == pytest.approx(by_all_orders(scores, correct))
    perfect = area(sorted(correct, reverse=True))
    assert excess_aurc(scores, correct, rounds=2).value == pytest.approx(found - perfect, abs=1e-9)


def test_curve_by_hand():
    curve = risk_coverage([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
    assert curve.thresholds == (0.9, 0.8, 0.1)
    assert curve.coverage == (0.25, 0.75, 1.0)
    assert curve.risk == pytest.approx((0, 1 / 3, 0.5))
    assert risk_coverage([], []).risk == ()


def test_a_perfect_score_has_no_excess_and_a_useless_one_has():
    rng = np.random.default_rng(0)
    correct = rng.random(300) < 0.7
    assert excess_aurc(correct, correct).value == 0
    assert excess_aurc(correct + rng.random(300) / 2, correct).value == 0
    useless = excess_aurc(rng.random(300), correct)
    assert useless.interval[0] > 0.15
    assert aurc(np.ones(300), correct).value == pytest.approx(1 - correct.mean())


def test_resampled_items_count_as_ties():
    # with weights, the statistic of a resample is that of the rows written out
    scores, correct = np.array([3.0, 2.0, 1.0]), np.array([1, 0, 1])
    copies = [0, 0, 1, 2, 2]
    written_out = by_all_orders(scores[copies], correct[copies])
    assert aurc(scores[copies], correct[copies], rounds=2).value == pytest.approx(written_out)


def test_intervals_hold_the_value_and_widen_with_clusters():
    rng = np.random.default_rng(3)
    correct = np.repeat(rng.random(40) < 0.7, 8)
    scores = np.repeat(rng.normal(size=40), 8) + correct
    for function in (aurc, excess_aurc):
        alone, together = function(scores, correct), function(scores, correct, groups=np.repeat(np.arange(40), 8))
        assert alone.interval[0] < alone.value < alone.interval[1]
        assert together.value == alone.value
        assert together.stderr > 2 * alone.stderr
        assert function(scores, correct) == alone


def test_accuracy_at_coverage():
    scores, correct = [5, 4, 3, 2, 1], [1, 1, 0, 0, 0]
    assert accuracy_at_coverage(scores, correct, 0.4) == wilson(2, 2)
    assert accuracy_at_coverage(scores, correct, 0.5) == wilson(2, 3)
    assert accuracy_at_coverage(scores, correct, 1.0) == wilson(2, 5)
    tied = accuracy_at_coverage([5, 4, 4, 4, 1], correct, 0.4)
    assert (tied.value, tied.n) == (0.5, 4)
    assert tied.note == "equal scores at the cut: coverage 0.8 instead of 0.4"
    assert accuracy_at_coverage([], [], 0.5).value is None
    for coverage in (0, 1.1):
        with pytest.raises(ValueError, match="coverage"):
            accuracy_at_coverage(scores, correct, coverage)


def test_edges_are_unknown_or_refused():
    assert aurc([], []).value is None
    assert excess_aurc([], []).value is None
    assert aurc([1, 2], [1, 1]).value == 0
    assert aurc([1, 2], [1, 1]).interval is None
    with pytest.raises(ValueError, match="lengths differ"):
        aurc([1], [1, 0])
