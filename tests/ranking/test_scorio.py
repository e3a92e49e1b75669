"""Rules and models on repeated right and wrong answers, against stored numbers of scorio."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.rules.by_name import score
from whetstone.ranking.rules.majority import minimax, support
from whetstone.ranking.score_table import ScoreTable

REFERENCE = json.loads((Path(__file__).parent / "scorio_reference.json").read_text(encoding="utf-8"))
CASES = REFERENCE["cases"]
OWN = {"kemeny_young": "kemeny", "borda": "mean_rank"}
"""Its Borda gives tied systems the mean of their places, which ours calls the mean rank."""


def answers(case: dict[str, Any]) -> np.ndarray:
    """[systems, questions, trials] is the answer right?"""
    return np.array([[int(x) for x in row] for row in case["right"]]).reshape(len(case["right"]), case["questions"], -1)


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize("rule", ["borda", "copeland", "minimax", "schulze", "ranked_pairs", "kemeny_young"])
def test_rules_of_social_choice_with_ties(case: int, rule: str) -> None:
    grades = answers(CASES[case]).sum(axis=2)
    table = ScoreTable(
        tuple(map(str, range(len(grades)))), tuple(map(str, range(grades.shape[1]))), grades.astype(float)
    )
    own, other = score(table, OWN.get(rule, rule)), np.array(CASES[case]["scores"][rule])
    if rule == "minimax":
        own = np.minimum(minimax(support(table), strength="margin"), 0)
    for i, j in combinations(range(len(own)), 2):
        if not np.isclose(other[i], other[j]):
            assert (own[i] - own[j]) * (other[i] - other[j]) >= 0
    if rule in ("borda", "copeland", "minimax"):
        assert np.corrcoef(own, other)[0, 1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize(("model", "ties"), [("bradley_terry", "drop"), ("bradley_terry_davidson", "davidson")])
def test_strengths(case: int, model: str, ties: str) -> None:
    right = answers(CASES[case])
    pairs = list(combinations(range(len(right)), 2))
    left, other = (np.repeat([pair[side] for pair in pairs], right[0].size) for side in (0, 1))
    outcome = np.concatenate([(right[i] - right[j]).ravel() for i, j in pairs])
    found = bradley_terry(Comparisons(tuple(map(str, range(len(right)))), left, other, outcome), ties=ties)
    reference = np.log(CASES[case]["scores"][model])
    np.testing.assert_allclose(found.scores, reference - reference.mean(), atol=2e-4)
