"""Many systems: the pairs agree with the tests of two, and planted ties are tied."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whetstone.stats import compare_systems, holm, mcnemar, paired_t, tie_groups
from whetstone.stats.paired import paired_bootstrap


def planted(rng, n, accuracies):
    """Systems of these accuracies whose answers go together on half of the items."""
    shared = rng.random(n)
    return {
        f"s{i}": np.where(rng.random(n) < 0.5, shared, rng.random(n)) < accuracy
        for i, accuracy in enumerate(accuracies)
    }


def test_every_pair_is_the_test_of_two():
    scores = planted(np.random.default_rng(1), 300, [0.5, 0.6, 0.7])
    found = compare_systems(scores)
    assert [(p.treatment, p.baseline) for p in found.pairs] == [("s1", "s0"), ("s2", "s0"), ("s2", "s1")]
    tests = [mcnemar(scores[p.treatment], scores[p.baseline]) for p in found.pairs]
    assert [p.test for p in found.pairs] == tests
    assert [p.adjusted for p in found.pairs] == holm([t.p for t in tests])
    groups = list(range(150)) * 2
    clustered = compare_systems(scores, groups=groups)
    assert clustered.units == 150
    assert [p.test for p in clustered.pairs] == [
        paired_t(scores[p.treatment], scores[p.baseline], groups=groups) for p in found.pairs
    ]


def test_a_planted_order_is_found_and_planted_ties_are_tied():
    found = compare_systems(planted(np.random.default_rng(2), 3000, [0.7, 0.5, 0.7, 0.9, 0.5]))
    assert found.ties == (("s3",), ("s0", "s2"), ("s1", "s4")) or set(map(frozenset, found.ties)) == {
        frozenset({"s3"}),
        frozenset({"s0", "s2"}),
        frozenset({"s1", "s4"}),
    }
    assert found.ranks == ((2, 3), (4, 5), (2, 3), (1, 1), (4, 5))


def test_equal_systems_are_one_group():
    scores = planted(np.random.default_rng(3), 500, [0.6] * 6)
    assert compare_systems(scores).ties == (tuple(sorted(scores, key=lambda s: -scores[s].mean())),)
    same = compare_systems({"a": [1, 0, 1], "b": [1, 0, 1]})
    assert same.pairs[0].adjusted == 1
    assert same.ranks == ((1, 2), (1, 2))


def family_wise(rng, runs, n, k):
    return np.mean([any(p.separated for p in compare_systems(planted(rng, n, [0.6] * k)).pairs) for _ in range(runs)])


def test_false_claims_stay_rare():
    assert family_wise(np.random.default_rng(4), 300, 150, 6) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 12])
def test_false_claims_stay_rare_in_many_draws(k):
    assert family_wise(np.random.default_rng(5), 2000, 200, k) <= 0.06


@pytest.mark.slow
def test_rank_intervals_hold_at_once():
    """With three tied systems and three apart, every rank interval holds its true ranks in 95 % of the draws."""
    rng, right = np.random.default_rng(6), 0
    accuracies = [0.5, 0.6, 0.6, 0.6, 0.66, 0.75]
    for _ in range(600):
        ranks = compare_systems(planted(rng, 400, accuracies)).ranks
        right += all(
            low <= 1 + sum(b > a for b in accuracies) and sum(b >= a for b in accuracies) <= high
            for a, (low, high) in zip(accuracies, ranks, strict=True)
        )
    assert right / 600 >= 0.94


def test_the_order_of_the_systems_does_not_matter():
    scores = planted(np.random.default_rng(7), 400, [0.5, 0.6, 0.72])
    first = compare_systems(scores)
    for order in permutations(scores):
        again = compare_systems({name: scores[name] for name in order})
        assert again.ties == first.ties
        assert dict(zip(order, again.ranks, strict=True)) == dict(zip(first.names, first.ranks, strict=True))


def test_the_joint_bootstrap_agrees_with_that_of_two():
    rng = np.random.default_rng(8)
    base = rng.normal(size=80)
    scores = {"a": base + rng.normal(size=80), "b": base + rng.normal(0.35, 1, 80), "c": base + rng.normal(size=80)}
    for groups in (None, np.repeat(np.arange(20), 4)):
        found = compare_systems(scores, test="bootstrap", groups=groups, rounds=20_000)
        for pair in found.pairs:
            alone = paired_bootstrap(scores[pair.treatment], scores[pair.baseline], groups=groups, rounds=20_000)
            assert pair.test.p == pytest.approx(alone.p, abs=0.01)
            assert pair.test.effect.interval == pytest.approx(alone.effect.interval, abs=0.02)
            assert pair.test.method == alone.method


@pytest.mark.parametrize("test", ["mcnemar", "t", "bootstrap", "permutation", "sign", "anytime"])
def test_every_test_sees_a_clear_difference(test):
    scores = planted(np.random.default_rng(13), 800, [0.5, 0.75, 0.75])
    found = compare_systems(scores, test=test)
    assert [p.separated for p in found.pairs] == [True, True, False]


def test_against_one_system_there_are_fewer_pairs_to_correct_for():
    scores = planted(np.random.default_rng(10), 300, [0.6] * 5)
    found = compare_systems(scores, against="s2")
    assert [(p.treatment, p.baseline) for p in found.pairs] == [(f"s{i}", "s2") for i in (0, 1, 3, 4)]
    assert found.ties == found.ranks == ()
    every = {frozenset((p.treatment, p.baseline)): p.adjusted for p in compare_systems(scores).pairs}
    assert all(p.adjusted <= every[frozenset((p.treatment, p.baseline))] for p in found.pairs)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 6), st.data())
def test_tie_groups_are_the_largest_sets_without_a_separated_pair(k, data):
    names = [f"s{i}" for i in range(k)]
    pairs = list(combinations(names, 2))
    separated = [pair for pair in pairs if data.draw(st.booleans())]
    apart = set(map(frozenset, separated))
    loose = [
        set(some)
        for size in range(1, k + 1)
        for some in combinations(names, size)
        if not any(frozenset(pair) in apart for pair in combinations(some, 2))
    ]
    largest = {frozenset(s) for s in loose if not any(s < other for other in loose)}
    assert set(map(frozenset, tie_groups(names, separated))) == largest


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="at least two systems"):
        compare_systems({"a": [1]})
    with pytest.raises(ValueError, match="a 1, b 2"):
        compare_systems({"a": [1], "b": [1, 0]})
    with pytest.raises(ValueError, match="there are a, b"):
        compare_systems({"a": [1], "b": [1]}, against="c")
    with pytest.raises(ValueError, match="independent"):
        compare_systems({"a": [1, 0], "b": [1, 1]}, test="mcnemar", groups=["x", "x"])


scored = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=3, max_size=40)


@settings(max_examples=40, deadline=None)
@given(scored, st.randoms(use_true_random=False), st.floats(0.1, 10), st.floats(-5, 5))
def test_order_of_items_scale_and_shift_change_nothing(items, random, scale, shift):
    mixed = random.sample(items, len(items))
    first = compare_systems(dict(zip("abc", np.array(items, float).T, strict=True)), test="t")
    again = compare_systems(dict(zip("abc", shift + scale * np.array(mixed, float).T, strict=True)), test="t")
    for one, other in zip(first.pairs, again.pairs, strict=True):
        assert (one.test.p is None) == (other.test.p is None)
        assert one.test.p is None or one.test.p == pytest.approx(other.test.p, rel=1e-6, abs=1e-12)
        assert (one.test.wins, one.test.losses) == (other.test.wins, other.test.losses)
        if one.test.effect.interval:
            wanted = [scale * limit for limit in one.test.effect.interval]
            assert other.test.effect.interval == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_more_of_the_same_is_more_evidence_and_one_more_win_never_hurts(pairs):
    new, old = np.array(pairs, float).T
    once, twice = mcnemar(new, old), mcnemar(np.tile(new, 2), np.tile(old, 2))
    assert twice.effect.value == pytest.approx(once.effect.value)
    assert twice.p <= once.p + 1e-12 or once.wins == once.losses
    more = mcnemar(np.append(new, 1), np.append(old, 0))
    assert more.p <= once.p + 1e-12 or once.wins <= once.losses


def test_numbered_clusters_are_the_same_clusters_as_named_ones():
    rng = np.random.default_rng(11)
    numbers = rng.integers(-3, 9, 60)
    scores = {"a": rng.normal(size=60), "b": rng.normal(size=60)}
    named, numbered = (compare_systems(scores, groups=g) for g in ([f"g{i}" for i in numbers], numbers))
    assert named.units == numbered.units == np.unique(numbers).size
    assert named.pairs[0].test.p == pytest.approx(numbered.pairs[0].test.p, rel=1e-9)
