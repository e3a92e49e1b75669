"""Votes on groups against Elo on pairs."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.ranking.k_wise_against_elo import CLAIMED, k_wise_against_elo

ELO = "Elo K=16, random pairs"


def test_groups_need_fewer_votes_than_elo_on_pairs():
    found = {
        f.name: f for f in k_wise_against_elo(systems=10, targets=(0.85,), most=1200, runs=12, arms=(ELO, CLAIMED))
    }
    ratio = found[f"times the votes to 0.85: {ELO}"]
    assert ratio.interval[0] > 1
    votes = [found[f"votes to 0.85: {name}"].estimate for name in (ELO, CLAIMED)]
    assert ratio.estimate == pytest.approx(votes[0] / votes[1])
    assert ratio.detail["times_the_outputs"] == pytest.approx(ratio.estimate / 2)
    assert ratio.detail["times_the_comparisons"] == pytest.approx(ratio.estimate / 6)


def test_votes_at_random_reach_nothing():
    for one in k_wise_against_elo(systems=8, careless=1.0, most=256, runs=8, arms=(ELO, CLAIMED)):
        assert one.estimate is None
        assert one.detail["note"]


def test_refuses_what_makes_no_sense():
    for setting in ({"systems": 1}, {"size": 1}, {"runs": 1}, {"most": 3}, {"arms": ("Glicko",)}):
        with pytest.raises(ConfigError):
            k_wise_against_elo(**setting)


@pytest.mark.slow
def test_the_claim_as_the_docs_print_it():
    found = {f.name: f for f in k_wise_against_elo(runs=20, arms=(ELO, CLAIMED))}
    for target in ("0.9", "0.95"):
        ratio = found[f"times the votes to {target}: {ELO}"]
        assert 1 < ratio.interval[0] < ratio.interval[1] < 16.3
