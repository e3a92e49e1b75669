"""A tournament finds planted orders; what it gains over comparing with a reference, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.tournament import tournament
from whetstone.ranking.tournament_against_anchor import tournament_against_anchor
from whetstone.ranking.voters import Voters

NAMES = ("a", "b", "c", "d", "e", "f", "g")


def test_finds_the_planted_order_with_one_match_less_than_systems_an_item():
    judge = Voters(np.linspace(2.4, -2.4, 7), tie=0.2, position=0.5).judge(seed=0)
    found = tournament(NAMES, judge, items=150)
    assert found.n == 150 * 6
    assert "".join(found.names[i] for i in found.order) == "abcdefg"
    assert found.settings["covariance"] == "group"
    assert (found.low < found.scores).all()


def test_equal_systems_are_one_tier():
    found = tournament(NAMES, Voters(np.zeros(7), spread=1.0).judge(seed=1), items=60)
    assert found.tier.tolist() == [1] * 7


def by_name(findings):
    return {f.name: f for f in findings}


def test_an_anchor_far_from_the_systems_loses_against_a_tournament():
    found = by_name(tournament_against_anchor(systems=8, items=30, deviation=1.5, spread=0.0, runs=60))
    assert found["tournament minus anchored, strong reference"].interval[0] > 0
    assert found["tournament minus anchored, weak reference"].interval[0] > 0
    assert found["tournament minus round robin on every item"].estimate < 0
    assert found["tournament"].detail["matches"] == 210


def test_finds_no_difference_where_nothing_can_be_known():
    for one in tournament_against_anchor(systems=6, items=10, deviation=0.7, careless=1.0, runs=40):
        if "minus" not in one.name:
            assert one.interval[0] < 0.1
            assert one.interval[1] > -0.1


def test_refuses_what_makes_no_sense():
    for setting in ({"systems": 1}, {"runs": 1}, {"items": 0}, {"deviation": -1.0}):
        with pytest.raises(ConfigError):
            tournament_against_anchor(**setting)


@pytest.mark.slow
def test_the_claim_as_the_docs_print_it():
    found = by_name(tournament_against_anchor(runs=200))
    for reference in ("median", "strong", "weak"):
        assert found[f"tournament minus anchored, {reference} reference"].interval[0] > 0
    assert abs(found["tournament minus random pairs"].estimate) < 0.02
