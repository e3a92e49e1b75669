"""Bradley-Terry: numbers of other software, planted strengths, invariances, and data that do not identify strengths."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.likelihood import Pairs
from whetstone.ranking.ties import TIES

every_model = pytest.mark.parametrize("ties", TIES)


def centred(values: Any) -> np.ndarray:
    return np.asarray(values) - np.mean(values)


def voters(strengths: np.ndarray, n: int, seed: int, *, tie: float = 0.5, sessions: int | None = None) -> Comparisons:
    """Davidson voters; in a session, all battles share a random shift of the strengths."""
    rng = np.random.default_rng(seed)
    k = len(strengths)
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    d = strengths[left] - strengths[right]
    group = None
    if sessions:
        group = rng.integers(0, sessions, n).astype(np.int32)
        shift = rng.normal(0, 1.5, (sessions, k))
        d = d + shift[group, left] - shift[group, right]
    odds = np.stack([np.exp(d / 2), np.full(n, tie), np.exp(-d / 2)])
    share = rng.random(n) * odds.sum(axis=0)
    outcome = np.where(share < odds[0], 1, np.where(share < odds[0] + odds[1], 0, -1)).astype(np.int8)
    return Comparisons(tuple(f"m{i:02}" for i in range(k)), left, right, outcome, group=group)


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("bradley_terry_reference.json").read_text())
    return found


@pytest.fixture(scope="module")
def example(reference: dict[str, Any]) -> Comparisons:
    left, right, outcome = (np.array(reference[name]) for name in ("left", "right", "outcome"))
    return Comparisons(tuple("012345"), left, right, outcome)


# ------------------------------------------------------------------------------- other software's numbers


def test_choix(reference: dict[str, Any], example: Comparisons) -> None:
    found = bradley_terry(example, ties="drop")
    np.testing.assert_allclose(found.scores, centred(reference["choix.opt_pairwise, decided only"]), atol=1e-9)
    assert found.notes == (f"{reference['outcome'].count(0)} rows not used: ties",)


def test_evalica(reference: dict[str, Any], example: Comparisons) -> None:
    found = bradley_terry(example)
    np.testing.assert_allclose(found.scores, centred(np.log(reference["evalica.bradley_terry"])), atol=1e-12)
    found = bradley_terry(example, ties="davidson")
    np.testing.assert_allclose(found.scores, centred(np.log(reference["evalica.newman"])), atol=1e-12)
    assert np.exp(found.settings["tie"]) / 2 == pytest.approx(reference["evalica.newman v"], abs=1e-12)


def test_arena_rank(reference: dict[str, Any], example: Comparisons) -> None:
    """Its sandwich has a ridge, hence the tolerance."""
    found = bradley_terry(example)
    np.testing.assert_allclose(found.scores, centred(reference["arena_rank ratings"]), atol=1e-9)
    assert found.covariance is not None
    np.testing.assert_allclose(np.diag(found.covariance), reference["arena_rank variances"], rtol=5e-5)


@every_model
def test_a_general_optimiser_finds_nothing_better(example: Comparisons, ties: str) -> None:
    pairs, model = Pairs.of(count(example)), TIES[ties]

    def loss(at: np.ndarray) -> float:
        return -float(model.value(pairs.counts, at[pairs.first] - at[pairs.second], np.asarray(at[-1])))

    found = bradley_terry(example, ties=ties)
    best = minimize(loss, np.append(np.zeros(6), 0.3), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(found.scores, centred(best.x[:6]), atol=1e-5)
    assert loss(np.append(found.scores, found.settings.get("tie", 0.0))) <= best.fun + 1e-9


# ------------------------------------------------------------------------------------ planted strengths


@every_model
def test_simulated_voters_are_ranked_as_planted(ties: str) -> None:
    truth = np.repeat([1.5, 0.5, -0.5, -1.5], 2)
    found = bradley_terry(voters(truth, 20_000, seed=0), ties=ties, rounds=200)
    assert found.tier is not None
    assert found.tier.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert found.rank_low is not None
    assert found.rank_high is not None
    assert found.rank_low.tolist() == [1, 1, 3, 3, 5, 5, 7, 7]
    assert found.rank_high.tolist() == [2, 2, 4, 4, 6, 6, 8, 8]
    assert found.order.tolist() == sorted(range(8), key=lambda i: -found.scores[i])
    if ties == "davidson":
        assert found.low is not None
        assert found.high is not None
        assert ((found.low < truth) & (truth < found.high)).sum() >= 7


def coverage(n: int, repeats: int, k: int, **options: Any) -> tuple[float, float]:
    """Share of planted strengths within their intervals, and of data sets with a wrong rank interval."""
    truth = np.linspace(-1, 1, k)
    inside = wrong = 0.0
    for seed in range(repeats):
        found = bradley_terry(voters(truth, n, seed), ties="davidson", seed=seed, **options)
        assert found.low is not None
        assert found.high is not None
        assert found.rank_low is not None
        assert found.rank_high is not None
        inside += float(((found.low <= truth) & (truth <= found.high)).mean())
        rank = k - np.arange(k)
        wrong += bool(((found.rank_low > rank) | (rank > found.rank_high)).any())
    return inside / repeats, wrong / repeats


@pytest.mark.parametrize(
    "options", [{}, {"covariance": "model"}, {"rounds": 200}], ids=["sandwich", "model", "bootstrap"]
)
def test_intervals_cover(options: dict[str, Any]) -> None:
    inside, wrong = coverage(400, 60, 6, **options)
    assert 0.90 < inside < 0.985
    assert wrong <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"covariance": "model"}, {"rounds": 500}], ids=["sandwich", "model", "bootstrap"]
)
def test_intervals_cover_at_the_nominal_rate(options: dict[str, Any]) -> None:
    inside, wrong = coverage(1000, 1000, 8, **options)
    assert 0.935 < inside < 0.965
    assert wrong <= 0.065


def false_tiers(repeats: int, **options: Any) -> float:
    """Share of data sets in which equal systems are split."""
    split = 0
    for seed in range(repeats):
        tier = bradley_terry(voters(np.zeros(8), 600, seed), seed=seed, **options).tier
        assert tier is not None
        split += tier.max() > 1
    return split / repeats


def test_equal_systems_are_one_tier() -> None:
    assert false_tiers(150) <= 0.09


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rounds": 500}, {"ties": "davidson"}], ids=str)
def test_tiers_keep_the_family_wise_error(options: dict[str, Any]) -> None:
    assert 0.025 < false_tiers(1500, **options) < 0.065


def test_clusters_widen_intervals_where_sessions_agree_with_themselves() -> None:
    truth = np.zeros(6)
    apart, inside, wrong = [], 0.0, 0
    for seed in range(60):
        battles = voters(truth, 1500, seed, sessions=40)
        clustered, naive = bradley_terry(battles), bradley_terry(battles, covariance="sandwich")
        assert clustered.covariance is not None
        assert naive.covariance is not None
        assert clustered.low is not None
        assert clustered.high is not None
        assert clustered.tier is not None
        apart.append(np.trace(clustered.covariance) / np.trace(naive.covariance))
        inside += float(((clustered.low <= 0) & (clustered.high >= 0)).mean())
        wrong += clustered.tier.max() > 1
    assert np.mean(apart) > 2
    assert 0.9 < inside / 60 < 0.99
    assert wrong <= 7
    assert clustered.settings["clusters"] == 40
    refitted = bradley_terry(battles, rounds=300)
    assert refitted.settings["covariance"] == "bootstrap by group"
    assert refitted.covariance is not None
    assert np.trace(refitted.covariance) / np.trace(clustered.covariance) == pytest.approx(1, abs=0.3)


def test_cyclic_data_give_no_strict_order() -> None:
    """Rock, paper, scissors: everybody beats the next with 90 percent."""
    rng = np.random.default_rng(0)
    left = rng.integers(0, 3, 3000)
    outcome = np.where(rng.random(3000) < 0.9, 1, -1)
    found = bradley_terry(Comparisons(("rock", "scissors", "paper"), left, (left + 1) % 3, outcome))
    assert found.tier is not None
    assert found.tier.tolist() == [1, 1, 1]
    np.testing.assert_allclose(found.scores, 0, atol=0.2)


# ------------------------------------------------------------------------------------------ invariances

results = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from([-1, 0, 1])), min_size=5, max_size=60
)


def build(rows: list[tuple[int, int, int]], weight: float | None = None) -> Comparisons:
    left, step, outcome = (np.array(column) for column in zip(*rows, strict=True))
    weights = None if weight is None else np.full(len(rows), weight)
    return Comparisons(tuple("abcde"), left, (left + step) % 5, outcome, weights)


@settings(max_examples=40, deadline=None)
@given(results, st.sampled_from(sorted(TIES)), st.randoms(use_true_random=False))
def test_order_sides_and_names_do_not_matter(rows: list[tuple[int, int, int]], ties: str, luck: Any) -> None:
    made = build(rows)
    base = bradley_terry(made, ties=ties)
    shuffled = np.array(luck.sample(range(len(rows)), len(rows)))
    np.testing.assert_allclose(bradley_terry(made.take(shuffled), ties=ties).scores, base.scores, atol=1e-8)
    turned = replace(made, left=made.right, right=made.left, outcome=-made.outcome)
    np.testing.assert_allclose(bradley_terry(turned, ties=ties).scores, base.scores, atol=1e-8)
    upside_down = bradley_terry(replace(made, outcome=-made.outcome), ties=ties)
    np.testing.assert_allclose(upside_down.scores, -base.scores, atol=1e-8)
    place = np.array(luck.sample(range(5), 5))
    renamed = Comparisons(tuple("abcde"), place[made.left], place[made.right], made.outcome)
    other = bradley_terry(renamed, ties=ties)
    np.testing.assert_allclose(other.scores[place], base.scores, atol=1e-8)
    assert base.covariance is not None
    assert other.covariance is not None
    np.testing.assert_allclose(other.covariance[np.ix_(place, place)], base.covariance, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(results, st.sampled_from(sorted(TIES)))
def test_doubled_data_keep_the_scores_and_halve_the_variance(rows: list[tuple[int, int, int]], ties: str) -> None:
    base = bradley_terry(build(rows), ties=ties, prior=1.0)
    doubled = bradley_terry(build(rows + rows), ties=ties, prior=2.0)
    weighted = bradley_terry(build(rows, weight=2.0), ties=ties, prior=2.0)
    np.testing.assert_allclose(doubled.scores, base.scores, atol=1e-8)
    np.testing.assert_allclose(weighted.scores, base.scores, atol=1e-8)
    assert base.covariance is not None
    assert doubled.covariance is not None
    assert weighted.covariance is not None
    np.testing.assert_allclose(doubled.covariance, base.covariance / 2, atol=1e-8)
    if weighted.settings["covariance"] == "sandwich":
        np.testing.assert_allclose(weighted.covariance, base.covariance, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(results, st.sampled_from(sorted(TIES)))
def test_another_win_never_lowers_the_winner(rows: list[tuple[int, int, int]], ties: str) -> None:
    base, more = build(rows), build([*rows, (0, 1, 1)])
    before, after = (bradley_terry(made, prior=1.0, ties="half").scores for made in (base, more))
    assert after[0] - after[1] >= before[0] - before[1] - 1e-9
    assert after[0] >= before[0] - 1e-9


def test_a_factor_on_all_weights_changes_nothing(example: Comparisons) -> None:
    weight = np.random.default_rng(0).uniform(0.5, 2, len(example))
    one, thousand = (bradley_terry(replace(example, weight=weight * factor), rounds=20) for factor in (1, 1000))
    np.testing.assert_allclose(one.scores, thousand.scores, atol=1e-9)
    assert one.covariance is not None
    assert thousand.covariance is not None
    np.testing.assert_allclose(one.covariance, thousand.covariance, atol=1e-9)


# ------------------------------------------------------------------------ data that do not identify them


@every_model
def test_an_undefeated_system_is_named_and_stays_uncertain(ties: str) -> None:
    battles = voters(np.zeros(4), 200, seed=0)
    champion = Comparisons(
        (*battles.names, "zz"),
        np.append(battles.left, [4] * 12),
        np.append(battles.right, [0, 1, 2, 3] * 3),
        np.append(battles.outcome, [1] * 12),
    )
    found = bradley_terry(champion, ties=ties, rounds=50)
    assert found.notes[0] == "never lost (nor tied): zz"
    assert "prior: each system was given 1 comparison," in found.notes[1]
    assert found.settings["prior"] == 1
    assert found.settings["covariance"] == "model"
    assert found.low is not None
    assert found.high is not None
    assert found.scores[4] == found.scores.max()
    assert found.high[4] - found.low[4] > 1.5
    assert found.tier is not None
    with pytest.raises(TaskError, match=r"never lost.*zz"):
        bradley_terry(champion, ties=ties, prior=0)


def test_systems_without_common_battles_are_never_told_apart() -> None:
    left, right = ["a"] * 400 + ["c"] * 400, ["b"] * 400 + ["d"] * 400
    found = bradley_terry(Comparisons.from_labels(left, right, [1, 1, 1, -1] * 100 + [1, -1] * 200))
    assert found.notes[0] == "no comparison connects: a, b | c, d"
    assert found.tier is not None
    assert found.tier.tolist() == [1, 2, 1, 1]
    assert found.rank_low is not None
    assert found.rank_low.tolist() == [1, 2, 1, 1]


def test_a_chain_of_wins_is_ordered_under_the_prior() -> None:
    found = bradley_terry(Comparisons.from_labels(list("abc"), list("bcd"), [1, 1, 1]))
    assert (np.diff(found.scores) < 0).all()
    assert np.isfinite(found.scores).all()
    assert found.tier is not None
    assert found.tier.tolist() == [1, 1, 1, 1]


def test_nothing_but_ties() -> None:
    ties = Comparisons.from_labels(list("aba"), list("bac"), [0, 0, 0])
    for name in TIES:
        found = bradley_terry(ties, ties=name)
        np.testing.assert_allclose(found.scores, 0, atol=1e-12)
        assert found.high is not None
        assert (found.high > 1).all()
        assert "every comparison is a tie" in found.notes
    with pytest.raises(TaskError, match="all 3 comparisons are ties"):
        bradley_terry(ties, ties="drop")


def test_ties_that_separate_call_for_the_prior() -> None:
    """a = b = c but a beats c: near ones tie and far ones do not, the more so the larger everything is."""
    made = Comparisons.from_labels(list("aabb"), list("bcca"), [0, 1, 0, 0])
    for name in ("davidson", "rao_kupper"):
        found = bradley_terry(made, ties=name)
        assert found.settings["prior"] == 1
        assert found.notes[0].startswith("ties set every pair that tied apart")
    assert bradley_terry(made).settings["prior"] == 0


def test_a_weak_prior_changes_little() -> None:
    battles = voters(np.linspace(-1, 1, 5), 5000, seed=1)
    np.testing.assert_allclose(bradley_terry(battles, prior=0.01).scores, bradley_terry(battles).scores, atol=1e-3)


def test_dropped_rows_are_noted() -> None:
    made = Comparisons.from_labels(["a", "b"], ["b", "a"], [1, 1], dropped={"not anonymous": 7, "both bad": 0})
    assert bradley_terry(made).notes == ("7 rows not used: not anonymous",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "glenn"}, "ties is 'glenn'; it can be half, davidson, rao_kupper, drop"),
        ({"covariance": "hac"}, "covariance is 'hac'"),
        ({"level": 1.0}, "level is 1.0"),
        ({"prior": -1.0}, "prior is -1.0"),
        ({"rounds": 1}, "1 rounds; it takes 0"),
    ],
)
def test_wrong_options_are_named(example: Comparisons, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bradley_terry(example, **options)


def test_clusters_that_are_not_there(example: Comparisons) -> None:
    with pytest.raises(TaskError, match="nothing about their judge"):
        bradley_terry(example, covariance="judge")
    alone = replace(example, group=np.zeros(len(example), dtype=np.int32))
    with pytest.raises(TaskError, match="all comparisons are in one cluster"):
        bradley_terry(alone, covariance="group")
    found = bradley_terry(alone)
    assert found.settings["covariance"] == "sandwich"
    assert any("of one group" in note for note in found.notes)


def test_one_comparison_alone_is_no_group_of_comparisons() -> None:
    single = Comparisons(("a", "b"), np.array([0]), np.array([1]), np.array([1]), group=np.array([0]))
    found = bradley_terry(single)
    assert found.settings["covariance"] == "model"
    assert not any("of one group" in note for note in found.notes)


def test_same_seed_same_result(example: Comparisons) -> None:
    first, again, other = (bradley_terry(example, rounds=50, seed=seed) for seed in (1, 1, 2))
    assert first.low is not None
    assert again.low is not None
    assert other.low is not None
    assert first.low.tolist() == again.low.tolist()
    assert first.low.tolist() != other.low.tolist()


def test_rescaled_to_elo(example: Comparisons) -> None:
    found = bradley_terry(example)
    elo = found.rescaled(factor=400 / np.log(10), offset=1000, scale="elo")
    assert elo.scores.mean() == pytest.approx(1000)
    share = 1 / (1 + 10 ** ((elo.scores[1] - elo.scores[0]) / 400))
    assert share == pytest.approx(1 / (1 + np.exp(found.scores[1] - found.scores[0])))
    assert elo.low is not None
    assert found.low is not None
    assert elo.low[0] < elo.scores[0]
    assert elo.settings["scale"] == "elo"


SEPARATED = (
    [(0, 1, 1)] * 3 + [(0, 1, 0)] * 2,
    [(0, 1, -1)] * 3 + [(0, 1, 0), (0, 2, -1), (0, 3, 0), (0, 4, 0), (2, 1, 0)],
    [(0, 1, -1)] * 3 + [(0, 3, 0), (4, 1, -1), (2, 3, 0), (0, 1, 0), (0, 2, -1), (0, 4, 0)],
)


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
@pytest.mark.parametrize("rows", SEPARATED)
def test_ties_that_separate_are_named_and_a_prior_steps_in(rows: list[tuple[int, int, int]], ties: Any) -> None:
    """Whoever won always won: strengths and tie parameter can grow together, and the data only get likelier."""
    left, right, outcome = np.array(rows).T
    names = tuple(f"s{i}" for i in range(max(left.max(), right.max()) + 1))
    made = Comparisons(names, left, right, outcome)
    found = bradley_terry(made, ties=ties)
    assert any("ties set every pair that tied apart" in note for note in found.notes)
    assert found.settings["prior"] == 1
    assert np.abs(found.scores).max() < 4
    swapped = bradley_terry(Comparisons(names, right, left, -outcome), ties=ties)
    np.testing.assert_allclose(found.scores, swapped.scores, atol=1e-8)
    with pytest.raises(TaskError, match="do not identify"):
        bradley_terry(made, ties=ties, prior=0)
    assert bradley_terry(made, ties=ties, rounds=20).low is not None
    upset = Comparisons(names, np.append(left, right[0]), np.append(right, left[0]), np.append(outcome, outcome[0]))
    assert bradley_terry(upset, ties=ties).settings["prior"] == 0, "one upset is enough"


def test_a_circle_with_more_wins_than_ties_does_not_separate() -> None:
    rows = [(0, 1, 1), (1, 2, 1), (2, 0, 0)] * 3
    left, right, outcome = np.array(rows).T
    for ties in ("davidson", "rao_kupper"):
        found = bradley_terry(Comparisons(("a", "b", "c"), left, right, outcome), ties=ties)
        assert found.settings["prior"] == 0
        assert np.isfinite(found.scores).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ties", ["davidson", "rao_kupper", "half"])
@pytest.mark.parametrize("rounds", [0, 20])
def test_who_only_tied_is_not_known_exactly(ties: Any, rounds: int) -> None:
    left, right, outcome = np.array([(2, 1, -1), (1, 2, 0), (1, 0, 0), (2, 1, 1), (2, 1, 0), (2, 0, 0)]).T
    found = bradley_terry(Comparisons(("a", "b", "c"), left, right, outcome), ties=ties, rounds=rounds)
    assert found.low is not None
    assert found.high is not None
    assert ((found.high - found.low) > 0.5).all()
    assert any("residuals of some systems vanish" in note for note in found.notes)
