"""Renze and Guven, "Self-reflection in LLM agents" (2024): all 32 published rows, from the recorded answers.

An agent answers again only what the baseline got wrong, so its right answers are the baseline's and the new ones.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict

import pytest

from whetstone.stats import compare_systems, flips, mcnemar


@pytest.fixture(scope="module")
def answers(recorded):
    """Model -> agent -> whether each of the 1,000 problems is right in the end."""
    first: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    again: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(dict)
    with gzip.open(recorded("self_reflection_agents") / "answers.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            where = first[row["model"]] if row["agent"] == "baseline" else again[row["model"], row["agent"]]
            where[row["exam"], row["problem_id"]] = int(row["score"])
    found = {model: {"baseline": list(right.values())} for model, right in first.items()}
    for (model, agent), better in again.items():
        found[model][agent] = [right or better.get(key, 0) for key, right in first[model].items()]
    return found


def test_every_published_row_is_reproduced(answers, recorded):
    with (recorded("self_reflection_agents") / "expected_results.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    assert len(published) == 32
    for row in published:
        agents = answers[row["Model Name"]]
        found = mcnemar(agents[row["Agent Name"]], agents["baseline"], form="chi-square")
        assert found.effect.n == int(row["Num Problems"])
        assert sum(agents["baseline"]) == int(row["Baseline Score"])
        assert sum(agents[row["Agent Name"]]) == int(row["Agent Score"])
        assert found.effect.value == pytest.approx(float(row["Difference Accuracy"]), abs=1e-12)
        assert found.statistic == pytest.approx(float(row["Test Statistic"]), rel=1e-12)
        assert found.p == pytest.approx(float(row["p-value"]), rel=1e-3)
        assert (found.wins, found.losses) == (int(row["Difference Score"]), 0)


def test_the_agents_are_told_apart_only_where_they_differ(answers):
    """Beyond the paper: nine arms of one model, all 36 pairs with Holm's correction."""
    agents = answers["claude-3-opus-20240229"]
    found = compare_systems(agents)
    assert found.ties[0] == ("unredacted",)
    assert found.ties[-1] == ("baseline",)
    assert any({"keywords", "instructions", "advice", "retry"} <= set(group) for group in found.ties)
    assert flips(agents["composite"], agents["baseline"]).negative.value == 0
