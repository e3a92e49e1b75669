"""Rules of social choice: textbook elections, brute force, another library's numbers, and their laws."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whetstone.core.errors import ConfigError, TaskError
from whetstone.ranking.comparisons import Comparisons, Rankings, count
from whetstone.ranking.rules.by_name import BY_MAJORITY, RULES, grouped, score, winners
from whetstone.ranking.rules.kemeny import disagreement, kemeny
from whetstone.ranking.rules.lotteries import equilibrium, maximal_lottery, nash_of_tasks
from whetstone.ranking.rules.majority import components, condorcet_set, condorcet_winner, copeland, minimax, support
from whetstone.ranking.rules.positional import borda
from whetstone.ranking.score_table import ScoreTable
from whetstone.ranking.social_choice import social_choice

REFERENCE = json.loads((Path(__file__).parent / "social_choice_reference.json").read_text(encoding="utf-8"))
NEUTRAL = tuple(rule for rule in RULES if rule not in ("geometric_mean", "nash_of_tasks"))
BY_PLACE = ("plurality", "borda", "mean_rank", "dowdall")
CONDORCET = ("baldwin", "copeland", "minimax", "schulze", "ranked_pairs", "kemeny", "maximal_lottery", "nash_averaging")


def ballots(*votes: tuple[int, str]) -> ScoreTable:
    """Votes such as (42, "MNCK"): 42 voters with this order, best first."""
    names = tuple(sorted(votes[0][1]))
    order = np.array([[names.index(c) for c in vote] for _, vote in votes])
    return ScoreTable.from_rankings(Rankings(names, order), np.array([float(n) for n, _ in votes]))


def won(table: ScoreTable, rule: str) -> str:
    return "".join(table.names[i] for i in winners(score(table, rule)))


def ranked(table: ScoreTable, rule: str) -> str:
    scores = score(table, rule)
    assert len(set(scores.tolist())) == len(scores), "there are ties"
    return "".join(table.names[i] for i in np.argsort(-scores))


TENNESSEE = ballots((42, "MNCK"), (26, "NCKM"), (15, "CKNM"), (17, "KCNM"))
PARADOX = ballots((1, "ABC"), (1, "BCA"), (1, "CAB"))
SCHULZE = ballots(
    (5, "ACBED"), (5, "ADECB"), (8, "BEDAC"), (3, "CABED"), (7, "CAEBD"), (2, "CBADE"), (7, "DCEBA"), (8, "EBADC")
)


def test_capital_of_tennessee() -> None:
    assert won(TENNESSEE, "plurality") == "M"
    assert all(won(TENNESSEE, rule) == "N" for rule in ("borda", *CONDORCET))
    assert all(ranked(TENNESSEE, rule) == "NCKM" for rule in ("copeland", "schulze", "ranked_pairs", "kemeny"))
    assert dict(zip("CKMN", score(TENNESSEE, "borda"), strict=True)) == {"M": 126, "N": 194, "C": 173, "K": 107}


def test_textbook_election_has_four_winners_by_four_rules() -> None:
    # 55 voters, Malkevitch's example: every rule has a winner of its own.
    table = ballots((18, "ADECB"), (12, "BEDCA"), (10, "CBEDA"), (9, "DCEBA"), (4, "EBDCA"), (2, "ECDBA"))
    assert won(table, "plurality") == "A"
    assert won(table, "borda") == "D"
    assert all(won(table, rule) == "E" for rule in CONDORCET)
    ranking = social_choice(table, rule="borda")
    assert ranking.settings["condorcet_winner"] == "E"
    assert ranking.settings["condorcet_loser"] == "A"
    assert dict(zip("ABCDE", ranking.scores, strict=True)) == {"A": 72, "B": 101, "C": 107, "D": 136, "E": 134}


def test_condorcet_paradox_is_a_tie_of_all_and_is_said_to_be_a_cycle() -> None:
    for rule in NEUTRAL:
        if rule != "optimality_gap":
            assert np.ptp(score(PARADOX, rule)) == 0, rule
    ranking = social_choice(PARADOX, rule="schulze")
    assert ranking.settings["condorcet_winner"] is None
    assert ranking.settings["condorcet_set"] == ["A", "B", "C"]
    assert "no system beats all others" in ranking.notes[0]
    np.testing.assert_allclose(score(PARADOX, "maximal_lottery"), 1 / 3)
    consensus = kemeny(support(PARADOX))
    assert consensus.orders == 3
    assert consensus.cost == 4


def test_schulze_example_of_45_voters() -> None:
    assert ranked(SCHULZE, "schulze") == "EACBD"
    assert condorcet_winner(support(SCHULZE)) is None


def test_ranked_pairs_passes_over_the_weakest_win_of_a_cycle() -> None:
    table = ballots((7, "ABC"), (5, "BCA"), (4, "CAB"), (1, "CBA"))
    # A over B 11:6, B over C 12:5, C over A 10:7: the last closes the cycle.
    assert ranked(table, "ranked_pairs") == "ABC"
    assert ranked(table, "kemeny") == "ABC"


def test_threshold_looks_at_last_places_first() -> None:
    table = ballots((3, "ABC"), (2, "CBA"))
    assert ranked(table, "threshold") == "BAC"
    assert won(table, "plurality") == "A"


def test_dowdall_and_ties_of_places() -> None:
    table = ScoreTable(("a", "b", "c"), ("x",), np.array([[2.0], [2.0], [1.0]]))
    np.testing.assert_allclose(score(table, "dowdall"), [1, 1, 1 / 3])
    np.testing.assert_allclose(score(table, "plurality"), [0, 0, 0])
    np.testing.assert_allclose(score(table, "borda"), [1, 1, 0])
    np.testing.assert_allclose(borda(table, ties="average"), [1.5, 1.5, 0])
    np.testing.assert_allclose(table.places("average")[:, 0], [1.5, 1.5, 3])


def test_forms_of_copeland_and_minimax() -> None:
    wins = np.array([[0.0, 3, 2], [1, 0, 2], [2, 1, 0]])
    np.testing.assert_allclose(copeland(wins), [1, 0, -1])
    np.testing.assert_allclose(copeland(wins, ties=0.5, losses=0), [1.5, 1, 0.5])
    np.testing.assert_allclose(minimax(wins), [0, -3, -2])
    np.testing.assert_allclose(minimax(wins, strength="margin"), [0, -2, -1])
    np.testing.assert_allclose(minimax(wins, strength="opposition"), [-2, -3, -2])


# ------------------------------------------------------------------------------------ another library's numbers


@pytest.mark.parametrize("case", REFERENCE["elections"])
def test_numbers_of_open_spiel(case: dict[str, Any]) -> None:
    counts, orders = zip(*case["ballots"], strict=True)
    names = tuple(str(i) for i in range(len(orders[0])))
    table = ScoreTable.from_rankings(Rankings(names, np.array(orders)), np.array(counts, dtype=float))
    for rule, result in case["results"].items():
        if rule == "nash_averaging":
            np.testing.assert_allclose(score(table, "maximal_lottery"), result, atol=1e-6)
        elif rule in ("plurality", "borda"):
            np.testing.assert_allclose(score(table, rule), result["scores"])
        elif rule == "copeland":
            np.testing.assert_allclose(copeland(support(table), ties=0.5, losses=0), result["scores"])
        else:
            assert list(ranked(table, rule)) == result["ranking"], rule


@pytest.mark.parametrize("game", REFERENCE["games"])
def test_equilibria_of_open_spiel(game: dict[str, Any]) -> None:
    scores = np.array(game["scores"])
    stretched = (scores - scores.min(axis=0)) / np.ptp(scores, axis=0)
    row, column, value = equilibrium(stretched)
    np.testing.assert_allclose(row, game["systems"], atol=2e-5)
    np.testing.assert_allclose(column, game["tasks"], atol=2e-5)
    assert row @ stretched @ column == pytest.approx(value)
    k, t = scores.shape
    table = ScoreTable(tuple(f"s{i}" for i in range(k)), tuple(f"t{i}" for i in range(t)), scores)
    np.testing.assert_allclose(nash_of_tasks(table), game["ratings"], atol=2e-5)


# ------------------------------------------------------------------------------------------------ brute force


def random_support(rng: np.random.Generator, k: int) -> NDArray[np.float64]:
    wins = rng.integers(0, 6, (k, k)).astype(float)
    np.fill_diagonal(wins, 0)
    return wins


@pytest.mark.parametrize("seed", range(12))
def test_kemeny_is_that_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 8))
    wins = random_support(rng, k)
    costs = {order: disagreement(wins, np.array(order)) for order in permutations(range(k))}
    least = min(costs.values())
    best = [order for order, cost in costs.items() if cost == least]
    found = kemeny(wins)
    assert found.proven
    assert found.cost == least
    assert tuple(found.order.tolist()) in best
    whole = kemeny(wins, exact_to=15)
    assert whole.orders == len(best)
    places = np.mean([np.argsort(order) for order in best], axis=0)
    np.testing.assert_allclose(found.place, places, atol=1e-8)
    programme = kemeny(wins, exact_to=1)
    assert programme.cost == least
    assert programme.proven


def test_kemeny_of_many_systems_agrees_between_the_two_ways_to_compute_it() -> None:
    wins = random_support(np.random.default_rng(0), 13)
    assert (components(wins) == 0).all()
    assert kemeny(wins).cost == kemeny(wins, exact_to=12).cost


def test_kemeny_beyond_dynamic_programming() -> None:
    rng = np.random.default_rng(1)
    strength = np.linspace(0, 3, 24)
    chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    wins = rng.binomial(9, np.triu(chance, 1)).astype(float)
    wins += np.tril(9 - wins.T, -1)
    found = kemeny(wins)
    assert found.proven
    assert found.cost <= disagreement(wins, np.argsort(-(wins.sum(axis=1)), kind="stable"))
    assert np.corrcoef(np.argsort(found.order), -strength)[0, 1] > 0.9


# ------------------------------------------------------------------------------------------------ laws

tables = st.builds(
    lambda k, t, values, gaps: (k, t, np.array(values[: k * t], dtype=float).reshape(k, t), gaps[: k * t]),
    st.integers(2, 6),
    st.integers(1, 6),
    st.lists(st.integers(0, 5), min_size=36, max_size=36),
    st.lists(st.integers(0, 4), min_size=36, max_size=36),
)


def table_of(drawn: Any, *, gaps: bool, weights: bool = True) -> ScoreTable:
    k, t, scores, holes = drawn
    scores = scores.copy()
    if gaps:
        # The first system and the first task stay whole, so that everyone can be compared.
        hole = np.array(holes).reshape(k, t) == 0
        hole[0] = hole[:, 0] = False
        scores[hole] = np.nan
    weight = 1.0 + np.arange(t) % 3 if weights else None
    return ScoreTable(tuple(f"s{i}" for i in range(k)), tuple(f"t{i}" for i in range(t)), scores, weight)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables, st.booleans(), st.randoms(use_true_random=False))
def test_no_name_and_no_order_of_tasks_decides(drawn: Any, gaps: bool, luck: Any) -> None:
    table = table_of(drawn, gaps=gaps)
    systems, tasks = list(range(len(table.names))), list(range(len(table.tasks)))
    luck.shuffle(systems)
    luck.shuffle(tasks)
    moved = table.select(tasks)
    moved = ScoreTable(
        tuple(table.names[i] for i in systems), moved.tasks, moved.scores[systems], weights=moved.weights
    )
    for rule in NEUTRAL:
        np.testing.assert_allclose(score(moved, rule), score(table, rule)[systems], atol=1e-6, err_msg=rule)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables, st.booleans())
def test_a_task_twice_is_a_task_of_twice_the_weight_and_all_twice_changes_nothing(drawn: Any, gaps: bool) -> None:
    table = table_of(drawn, gaps=gaps, weights=False)
    t = len(table.tasks)
    double = ScoreTable(table.names, table.tasks, table.scores, np.array([2.0] + [1.0] * (t - 1)))
    for rule in NEUTRAL:
        twice = score(table.select([0, *range(t)]), rule)
        np.testing.assert_allclose(twice, score(double, rule), atol=1e-6, err_msg=rule)
        again = score(table.select([*range(t), *range(t)]), rule)
        order = np.sign(np.subtract.outer(again, again).round(6))
        before = score(table, rule)
        np.testing.assert_array_equal(order, np.sign(np.subtract.outer(before, before).round(6)), err_msg=rule)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables, st.booleans())
def test_only_the_order_within_a_task_counts(drawn: Any, gaps: bool) -> None:
    table = table_of(drawn, gaps=gaps)
    stretched = ScoreTable(table.names, table.tasks, np.exp(table.scores) * 7 - 3, table.weights)
    for rule in NEUTRAL:
        if rule not in ("mean", "optimality_gap"):
            np.testing.assert_allclose(score(stretched, rule), score(table, rule), err_msg=rule)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tables, st.booleans())
def test_a_condorcet_winner_wins_and_winners_are_in_the_condorcet_set(drawn: Any, gaps: bool) -> None:
    table = table_of(drawn, gaps=gaps)
    wins = support(table)
    first = condorcet_winner(wins)
    inside = set(condorcet_set(wins).tolist())
    for rule in ("copeland", "schulze", "ranked_pairs", "kemeny", "maximal_lottery"):
        found = winners(score(table, rule))
        assert set(found) <= inside, rule
        if first is not None:
            assert found == [first], rule
    if first is not None:
        assert inside == {first}
        assert winners(score(table, "minimax")) == [first]
        assert first in winners(score(table, "nash_averaging"))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables, st.integers(0, 5), st.integers(0, 5))
def test_a_better_score_never_hurts(drawn: Any, who: int, where: int) -> None:
    table = table_of(drawn, gaps=False)
    who, where = who % len(table.names), where % len(table.tasks)
    scores = table.scores.copy()
    scores[who, where] += 2
    better = ScoreTable(table.names, table.tasks, scores, table.weights)
    for rule in (
        "mean",
        "plurality",
        "borda",
        "mean_rank",
        "dowdall",
        "copeland",
        "minimax",
        "schulze",
        "ranked_pairs",
    ):
        if who in winners(score(table, rule)):
            assert who in winners(score(better, rule)), rule


@settings(max_examples=40, deadline=None, derandomize=True)
@given(tables)
def test_clones_do_not_move_schulze_ranked_pairs_and_the_lottery(drawn: Any) -> None:
    table = table_of(drawn, gaps=False)
    k = len(table.names)
    # A clone that loses to its original on every task by a hair stands next to it everywhere.
    scores = np.vstack([table.scores, table.scores[0] - 0.5])
    cloned = ScoreTable((*table.names, "clone"), table.tasks, scores, table.weights)
    for rule in ("schulze", "ranked_pairs", "maximal_lottery"):
        before, after = score(table, rule), score(cloned, rule)[:k]
        if rule == "maximal_lottery":
            np.testing.assert_allclose(after, before, atol=1e-4)
        else:
            assert winners(after) == winners(before)


# ------------------------------------------------------------------------------------------------ intervals


def random_table(seed: int, *, skill: NDArray[np.float64], t: int, missing: float = 0.0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    scores = skill[:, None] + rng.normal(size=(len(skill), t)) + 3 * rng.normal(size=t)
    scores[rng.random(scores.shape) < missing] = np.nan
    return ScoreTable(tuple(f"s{i}" for i in range(len(skill))), tuple(f"t{i}" for i in range(t)), scores)


@pytest.mark.parametrize(("rule", "missing"), [("mean_rank", 0.0), ("mean_rank", 0.2), ("dowdall", 0.0)])
def test_intervals_over_tasks_cover_and_tiers_keep_the_family_wise_error(rule: str, missing: float) -> None:
    k, t = 5, 20
    expected = t * {"mean_rank": (k - 1) / 2, "dowdall": float(np.mean(1 / np.arange(1, k + 1)))}[rule]
    covered, told = [], []
    for seed in range(100):
        table = random_table(seed, skill=np.zeros(k), t=t, missing=missing)
        found = social_choice(table, rule=rule, intervals=True)
        assert found.low is not None
        assert found.high is not None
        assert found.tier is not None
        covered.append(np.mean((found.low <= expected) & (expected <= found.high)))
        told.append(found.tier.max() > 1)
    assert 0.92 < np.mean(covered) < 0.98
    assert np.mean(told) < 0.12  # what 100 tables stay below with 99 % confidence where the truth is 0.05


def test_tiers_tell_apart_what_is_apart() -> None:
    found = social_choice(random_table(0, skill=np.array([2.0, 2, 0, 0, -2]), t=40), rule="borda", intervals=True)
    assert found.tier is not None
    assert found.tier.tolist() == [1, 1, 2, 2, 3]
    assert found.rank_low is not None
    assert found.rank_high is not None
    assert (found.rank_low.tolist(), found.rank_high.tolist()) == ([1, 1, 3, 3, 5], [2, 2, 4, 4, 5])
    many = random_table(1, skill=np.array([1.0, 0]), t=250)
    assert social_choice(many, rule="mean_rank", intervals=True).tier.tolist() == [1, 2]  # type: ignore[union-attr]


def test_rules_that_jump_have_no_intervals_and_few_tasks_have_none() -> None:
    table = random_table(0, skill=np.zeros(3), t=5)
    with pytest.raises(ConfigError, match="no honest intervals"):
        social_choice(table, rule="copeland", intervals=True)
    assert "5 tasks are few" in social_choice(table, rule="borda", intervals=True).notes[0]
    with pytest.raises(TaskError, match="too few"):
        social_choice(table.select([0, 1]), rule="borda", intervals=True)


# ------------------------------------------------------------------------------------------------ gaps, steps, mistakes


def test_a_system_that_skips_a_task_is_ranked_by_the_tasks_it_has() -> None:
    scores = np.array([[5.0, 5, 5, 5], [4, 4, 4, 4], [3, 3, np.nan, np.nan], [2, 2, 2, 2]])
    table = ScoreTable(("a", "b", "c", "d"), ("t", "u", "v", "w"), scores)
    for rule in ("borda", "mean_rank", "copeland", "schulze", "ranked_pairs", "kemeny", "dowdall"):
        assert [table.names[i] for i in social_choice(table, rule=rule).order] == ["a", "b", "c", "d"], rule
    assert social_choice(table).notes == ("2 of 16 scores are missing",)


def test_missing_at_random_leaves_rank_rules_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    skill = np.linspace(2, 0, 10)
    scores = skill[:, None] + rng.normal(0, 0.5, (10, 40)) + 10 * rng.normal(size=40)
    scores[rng.random(scores.shape) < 0.4] = np.nan
    table = ScoreTable(tuple(f"s{i}" for i in range(10)), tuple(f"t{i}" for i in range(40)), scores)
    for rule in ("borda", "copeland", "schulze", "kemeny"):
        assert np.corrcoef(np.argsort(np.argsort(score(table, rule))), skill)[0, 1] > 0.9, rule


def test_two_steps_weigh_groups_and_not_tasks() -> None:
    scores = np.array([[1.0, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    tasks = tuple("vwxyz")
    table = ScoreTable(("a", "b"), tasks, scores, groups=("one", "one", "one", "two", "three"))
    assert social_choice(table, rule="borda").settings["winners"] == ["a"]
    assert social_choice(table, rule="borda", two_step=True).settings["winners"] == ["b"]
    heavy = {"one": 5.0, "two": 1.0, "three": 1.0}
    assert social_choice(table, rule="borda", two_step=True, group_weights=heavy).settings["winners"] == ["a"]
    partial = ScoreTable(("a", "b", "c"), tasks, np.vstack([scores, [2, 2, 2, np.nan, np.nan]]), groups=table.groups)
    assert np.isnan(grouped(partial, "borda").scores).sum() == 2
    assert social_choice(partial, rule="copeland", two_step=True).names == ("a", "b", "c")


def test_counts_of_comparisons_take_the_rules_of_majorities() -> None:
    rows = Comparisons.from_labels(list("aab"), list("bcc"), [1, 1, 1])
    for rule in BY_MAJORITY:
        assert social_choice(count(rows), rule=rule).settings["winners"] == ["a"]
    with pytest.raises(ConfigError, match="needs a table of scores"):
        social_choice(count(rows), rule="borda")


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        ([[1.0, np.inf], [1, 2]], {}, "'a', 'y': an infinite score"),
        ([[1.0, 2], [np.nan, np.nan]], {}, "'b' has no score"),
        ([[1.0, 2], [1, 2]], {"weights": np.array([1.0, -1])}, "'y': weight -1"),
        ([[1.0, 2], [1, 2]], {"weights": np.array([0.0, 0])}, "nothing to rank"),
        ([[1.0, 2], [1, 2]], {"groups": ("g",)}, "1 groups for 2 tasks"),
        ([[1.0, 2, 3], [1, 2, 3]], {}, "shape"),
    ],
)
def test_mistakes_in_a_table_are_named(scores: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        ScoreTable(("a", "b"), ("x", "y"), np.array(scores), **options)


def test_mistakes_in_the_options_are_named() -> None:
    with pytest.raises(ConfigError, match="known: mean"):
        social_choice(PARADOX, rule="dictator")
    with pytest.raises(ConfigError, match="group of each task"):
        social_choice(PARADOX, two_step=True)
    with pytest.raises(TaskError, match="not negative"):
        social_choice(PARADOX, rule="geometric_mean")
    with pytest.raises(TaskError, match="twice"):
        ScoreTable(("a", "a"), ("x",), np.zeros((2, 1)))
    apart = ScoreTable(("a", "b"), ("x", "y"), np.array([[1.0, np.nan], [np.nan, 1]]))
    with pytest.raises(TaskError, match="shares no task"):
        score(apart, "borda")
    table = ScoreTable(("a", "b"), ("x",), np.array([[1.0], [0]]), groups=("g",))
    with pytest.raises(ConfigError, match="weights for the groups"):
        social_choice(table, two_step=True, group_weights={"h": 1})


def test_lottery_needs_no_luck() -> None:
    wins = random_support(np.random.default_rng(3), 30)
    lottery = maximal_lottery(wins)
    assert lottery.sum() == pytest.approx(1)
    assert ((wins - wins.T).T @ lottery >= -1e-5).all()
