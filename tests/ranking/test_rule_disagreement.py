"""Where rules differ, and the cycles and distances that make them differ."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.comparisons import Comparisons, count
from whetstone.ranking.rule_disagreement import rule_disagreement
from whetstone.ranking.rules.cycles import cycles
from whetstone.ranking.rules.majority import support
from whetstone.ranking.score_table import ScoreTable


def table(orders: str, weights: list[float], names: str = "ABCDE") -> ScoreTable:
    rows = orders.split()
    places = np.array([[row.index(name) for row in rows] for name in names], dtype=float)
    return ScoreTable(tuple(names), tuple(f"t{i}" for i in range(len(rows))), -places, np.array(weights))


def test_names_the_cycle_and_the_pairs_it_makes_disputed() -> None:
    # A, B, C in a cycle above D above E; the majority for C over A is the narrowest.
    data = table("ABCDE BCADE CABDE ABCDE", [3.0, 3, 2, 1])
    found = rule_disagreement(data)
    assert len(found.cycles) == 1
    assert found.cycles[0].members == (0, 1, 2)
    assert "".join(found.names[i] for i in found.cycles[0].path) in ("ABC", "BCA", "CAB")
    assert found.cycles[0].margin == 1
    assert found.disputes
    assert {(d.first, d.second) for d in found.disputes} <= {(a, b) for a in "ABC" for b in "ABC"}
    assert all(d.cause == "cycle" for d in found.disputes)
    assert any("A beats B beats C beats A" in note for note in found.notes)
    assert found.notes[-1].startswith(f"the rules differ on {len(found.disputes)} of 10 pairs")


def test_names_where_distances_speak_against_the_majority() -> None:
    # C and D fill the gap between A and B where B leads: few tasks, many places.
    data = table("ABCD ABCD ABCD BCDA BCDA", [1.0] * 5, names="ABCD")
    found = rule_disagreement(data, rules=("copeland", "borda"))
    assert found.winners == {"copeland": ("A",), "borda": ("B",)}
    (dispute,) = (d for d in found.disputes if {d.first, d.second} == {"A", "B"})
    assert dispute.cause == "distance"
    assert abs(dispute.margin) == 1
    assert {dispute.above, dispute.below} == {("copeland",), ("borda",)}
    assert not found.cycles


def test_rules_that_agree_have_nothing_to_report() -> None:
    found = rule_disagreement(table("ABC ABC ABC", [1.0] * 3, names="ABC"))
    assert not found.disputes
    assert not found.cycles
    assert found.notes == (
        "the rules differ on 0 of 3 pairs: 0 because of cycles, 0 because of draws, "
        "0 where distances speak against the majority",
    )
    ladder = [rule in ("mean", "borda", "copeland", "schulze", "ranked_pairs", "kemeny") for rule in found.rankings]
    np.testing.assert_allclose(found.agreement[np.ix_(ladder, ladder)], 1)


def test_counts_are_read_by_the_rules_of_majorities() -> None:
    rows = Comparisons.from_labels(list("abca"), list("bcad"), [1, 1, 1, 1])
    found = rule_disagreement(count(rows))
    assert "borda" not in found.rankings
    assert found.cycles[0].members == (0, 1, 2)


def test_the_strongest_cycle_is_named() -> None:
    wins = np.zeros((5, 5))
    for winner, loser, by in ((0, 1, 5), (1, 2, 5), (2, 0, 5), (2, 3, 9), (3, 4, 9), (4, 0, 1)):
        wins[winner, loser] = by
    (found,) = cycles(wins)
    assert found.path == (0, 1, 2)
    assert found.margin == 5
    assert found.members == (0, 1, 2, 3, 4)


def test_no_cycle_where_majorities_are_an_order() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        wins = rng.integers(0, 4, (6, 6)).astype(float)
        for loop in cycles(wins):
            ring = (*loop.path, loop.path[0])
            assert all(wins[a, b] - wins[b, a] >= loop.margin for a, b in pairwise(ring))
    assert cycles(np.triu(np.ones((6, 6)), 1)) == []
    assert cycles(support(table("ABC", [1.0], names="ABC"))) == []


def test_needs_two_rules_it_knows() -> None:
    with pytest.raises(ConfigError, match="two rules"):
        rule_disagreement(table("ABC", [1.0], names="ABC"), rules=("borda",))
    with pytest.raises(ConfigError, match="known"):
        rule_disagreement(table("ABC", [1.0], names="ABC"), rules=("borda", "none"))
