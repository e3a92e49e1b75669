"""What holds for any comparisons: names, the order of rows, sides and repetition do not matter; a win never hurts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from whetstone.ranking.average_win_rate import average_win_rate
from whetstone.ranking.bayesian_skill import bayesian_skill
from whetstone.ranking.comparisons import Comparisons, Rankings
from whetstone.ranking.contextual_bradley_terry import contextual_bradley_terry
from whetstone.ranking.counting import counting
from whetstone.ranking.crowd_bradley_terry import crowd_bradley_terry
from whetstone.ranking.eigen import eigen
from whetstone.ranking.elo import elo
from whetstone.ranking.elo_reliability import elo_reliability
from whetstone.ranking.newman import newman
from whetstone.ranking.pagerank import pagerank
from whetstone.ranking.plackett_luce import plackett_luce
from whetstone.ranking.prediction_powered import prediction_powered
from whetstone.ranking.tied_outcomes import tied_outcomes

few = settings(max_examples=15, deadline=None)


def davidson(comparisons):
    return contextual_bradley_terry(comparisons, position=False, ties="davidson")


def tied(comparisons):
    assume(np.ptp(davidson(comparisons).scores) > 1e-3)
    return tied_outcomes({"first": comparisons, "second": comparisons})


def ranked(comparisons):
    """Comparisons as rankings of two."""
    first = np.where(comparisons.outcome >= 0, comparisons.left, comparisons.right)
    order = np.stack([first, comparisons.left + comparisons.right - first], axis=1)
    draw = np.stack([np.zeros(len(comparisons), bool), comparisons.outcome == 0], axis=1)
    return plackett_luce(Rankings(comparisons.names, order, draw))


ORDER_FREE = [counting, average_win_rate, eigen, pagerank, newman, davidson, ranked, tied]
EVERY = [*ORDER_FREE, elo, bayesian_skill]
MONOTONE = [counting, average_win_rate, newman, davidson, ranked]
"""Where one more win for a system raises its score: PageRank and the eigenvector do not promise that."""


@st.composite
def comparisons(draw):
    """Three to five systems, each of which has beaten the next in a circle, and any other comparisons of them."""
    k = draw(st.integers(3, 5))
    pair = st.tuples(st.integers(0, k - 1), st.integers(1, k - 1), st.sampled_from([1, 0, -1]), st.integers(0, 2))
    circle = [(i, 1, 1, i % 3) for i in range(k)] + [(i, 1, -1, 0) for i in range(k)]
    rows = np.array(circle + draw(st.lists(pair, min_size=1, max_size=30)))
    left, right = rows[:, 0], (rows[:, 0] + rows[:, 1]) % k
    return Comparisons(tuple("abcde"[:k]), left, right, rows[:, 2], judge=rows[:, 3], judges=("x", "y", "z"))


@pytest.mark.parametrize("method", EVERY)
@given(data=comparisons(), seed=st.integers(0, 99))
@few
def test_names_do_not_matter(method, data, seed):
    code = np.random.default_rng(seed).permutation(len(data.names))
    names = tuple(data.names[i] for i in np.argsort(code))
    renamed = Comparisons(names, code[data.left], code[data.right], data.outcome, judge=data.judge, judges=data.judges)
    ours, theirs = method(data), method(renamed)
    assert theirs.scores[code] == pytest.approx(ours.scores, rel=1e-6, abs=1e-6)
    if ours.covariance is not None:
        assert theirs.covariance[np.ix_(code, code)] == pytest.approx(ours.covariance, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("method", ORDER_FREE)
@given(data=comparisons(), seed=st.integers(0, 99))
@few
def test_the_order_of_rows_does_not_matter(method, data, seed):
    shuffled = data.take(np.random.default_rng(seed).permutation(len(data)))
    assert method(shuffled).scores == pytest.approx(method(data).scores, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("method", EVERY)
@given(data=comparisons())
@few
def test_sides_do_not_matter(method, data):
    swapped = Comparisons(data.names, data.right, data.left, -data.outcome, judge=data.judge, judges=data.judges)
    assert method(swapped).scores == pytest.approx(method(data).scores, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("method", [m for m in ORDER_FREE if m is not counting])
@given(data=comparisons())
@few
def test_rows_that_all_stand_there_twice_change_no_score(method, data):
    twice = data.take(np.tile(np.arange(len(data)), 2))
    assert method(twice).scores == pytest.approx(method(data).scores, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("method", [counting, average_win_rate, eigen, pagerank, newman, davidson, elo])
@given(data=comparisons())
@few
def test_a_row_of_weight_two_is_two_rows_in_a_row(method, data):
    heavy = Comparisons(data.names, data.left, data.right, data.outcome, np.full(len(data), 2.0))
    if method is elo:  # one match of a double K is not two matches: only the direction is shared
        moved, once = elo(heavy, k_factor=1e-4).scores - 1000, elo(data, k_factor=2e-4).scores - 1000
        assert moved == pytest.approx(once, abs=1e-9)
        return
    twice = data.take(np.repeat(np.arange(len(data)), 2))
    assert method(heavy).scores == pytest.approx(method(twice).scores, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("method", MONOTONE)
@given(data=comparisons(), row=st.integers(0, 40))
@few
def test_a_loss_that_becomes_a_win_never_hurts(method, data, row):
    row %= len(data)
    if row < 2 * len(data.names) or data.outcome[row] == 1:
        return
    outcome = data.outcome.copy()
    outcome[row] = 1
    better = Comparisons(data.names, data.left, data.right, outcome, judge=data.judge, judges=data.judges)
    ours, theirs = method(data), method(better)
    normal = np.log if method is newman else np.asarray
    before, after = (normal(r.scores) - normal(r.scores).mean() * (method is not counting) for r in (ours, theirs))
    winner = data.left[row]
    assert after[winner] >= before[winner] - 1e-7


@given(data=comparisons(), seed=st.integers(0, 99))
@few
def test_prediction_powered_votes_may_come_in_any_order(data, seed):
    n = len(data)
    votes = Comparisons(
        data.names,
        np.tile(data.left, 2),
        np.tile(data.right, 2),
        np.append(data.outcome, np.roll(data.outcome, 1)),
        group=np.append(np.arange(n), np.arange(n) + n * (np.arange(n) % 2)),
        judge=np.repeat([0, 1], n),
        judges=("human", "judge"),
    )
    shuffled = votes.take(np.random.default_rng(seed).permutation(2 * n))
    ours, theirs = prediction_powered(votes), prediction_powered(shuffled)
    assert theirs.scores == pytest.approx(ours.scores, abs=1e-6)
    assert theirs.low == pytest.approx(ours.low, abs=1e-6)


@pytest.mark.parametrize(
    "method", [m for m in EVERY if m not in (ranked, tied)] + [crowd_bradley_terry, elo_reliability]
)
def test_rows_left_out_are_counted_and_named_and_settings_are_plain(method):
    rng = np.random.default_rng(0)
    left = rng.integers(3, size=90)
    data = Comparisons(
        ("a", "b", "c"),
        left,
        (left + rng.integers(1, 3, size=90)) % 3,
        rng.integers(-1, 2, size=90),
        judge=rng.integers(2, size=90),
        judges=("x", "y"),
        dropped={"no winner": 3},
    )
    found = method(data)
    assert "3 rows not used: no winner" in found.notes
    if method is not elo_reliability:
        assert json.loads(json.dumps(dict(found.settings))) == found.settings
