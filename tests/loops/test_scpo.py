"""ScPO: pairs and weights by hand, and a real improvement without gold labels."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.core.types import Candidate, Example, Generation, user
from whetstone.loops._rollout import Group
from whetstone.loops.scpo import consistency_pairs, scpo


def group(answers: str) -> Group:
    candidates = tuple(Candidate(str(i), Generation(f"={a}")) for i, a in enumerate(answers))
    return Group(
        Example("q", user("?")), candidates, tuple(None if a == "." else a for a in answers), (None,) * len(answers)
    )


@pytest.mark.parametrize(
    ("answers", "weight"), [("77777744", 0.5), ("7777.441", 0.5), ("7777774.", 0.75), ("77774441", 3 / 8)]
)
def test_pair_weights_are_the_vote_gaps(answers, weight):
    (pair,) = consistency_pairs([group(answers)], votes=0.5, rng=Random(0))
    assert (pair.chosen, pair.weight) == ("=7", weight)
    assert pair.rejected == ("=." if "." in answers else "=1" if "1" in answers else "=4")


@pytest.mark.parametrize("answers", ["77777777", "77744...", "44447777", "........"])
def test_no_pair_without_enough_votes_or_without_contrast(answers):
    assert consistency_pairs([group(answers)], votes=0.5, rng=Random(0)) == []


def test_preferring_the_consistent_answer_improves(tiny, largest, drive_on, accuracy):
    before = accuracy(tiny, temperature=1.0)
    settings = {"questions": 150, "k": 8, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 32}
    rounds = list(scpo(tiny, largest(blind=True), drive_on(tiny), lr=3e-3, **settings))
    assert len(rounds) == 2
    assert accuracy(tiny, temperature=1.0) > before + 0.1
    assert all(0 < r.kept <= 150 for r in rounds)
