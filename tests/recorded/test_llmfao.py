"""8931 crowd votes on 59 models reproduce the scores of six algorithms; two judges are measured against the crowd.

Data: D. Ustalov, "LLMFAO: large language model feedback analysis and optimization" (2023), CC BY 4.0.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whetstone.ranking.average_win_rate import average_win_rate
from whetstone.ranking.bradley_terry import bradley_terry
from whetstone.ranking.comparisons import Comparisons
from whetstone.ranking.counting import counting
from whetstone.ranking.crowd_bradley_terry import crowd_bradley_terry
from whetstone.ranking.eigen import eigen
from whetstone.ranking.elo import elo
from whetstone.ranking.elo_reliability import elo_reliability
from whetstone.ranking.misclassified_votes import misclassified_votes
from whetstone.ranking.newman import newman
from whetstone.ranking.pagerank import pagerank
from whetstone.ranking.prediction_powered import prediction_powered

OUTCOME = {"left": 1, "tie": 0, "right": -1}
Row = dict[str, str]


def table(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(recorded: Callable[[str], Path]) -> Path:
    return recorded("llmfao")


@pytest.fixture(scope="module")
def crowd(folder: Path) -> list[Row]:
    return table(folder / "crowd-comparisons.csv.gz")


@pytest.fixture(scope="module")
def battles(crowd: list[Row]) -> Comparisons:
    return encoded(crowd, [row["worker"] for row in crowd])


def encoded(rows: list[Row], judge: list[str]) -> Comparisons:
    return Comparisons.from_labels(
        [row["left"] for row in rows],
        [row["right"] for row in rows],
        [OUTCOME[row["winner"]] for row in rows],
        group=[row["prompt"] for row in rows],
        judge=judge,
    )


@pytest.mark.parametrize("method", [counting, average_win_rate, elo, eigen, pagerank, newman])
def test_golden_scores(folder: Path, battles: Comparisons, method: Callable[..., object]) -> None:
    golden = {
        r["item"]: float(r["score"])
        for r in table(folder / "evalica-golden.csv.gz")
        if r["algorithm"] == method.__name__
    }
    found = eigen(battles, of="losses") if method is eigen else method(battles)
    assert dict(zip(found.names, found.scores.tolist(), strict=True)) == pytest.approx(golden, abs=1e-9)


def test_adding_up_losses_puts_the_best_model_near_the_bottom(battles: Comparisons) -> None:
    best = average_win_rate(battles).names[average_win_rate(battles).order[0]]
    place = {of: [battles.names[i] for i in eigen(battles, of=of).order].index(best) for of in ("wins", "losses")}
    assert place["wins"] < 20
    assert place["losses"] > 40


def test_elo_of_one_order_is_not_to_be_trusted_here(battles: Comparisons) -> None:
    report = elo_reliability(battles, k_factors=(4.0, 32.0), orders=24)
    assert report.same_ranking.max() == 0
    assert report.deviations[1].mean() > 2 * report.deviations[0].mean()
    assert report.cycles == ()


def test_judges_agree_with_the_crowd_as_often_as_recorded(folder: Path, crowd: list[Row]) -> None:
    votes: dict[str, Counter[str]] = {}
    for row in crowd:
        votes.setdefault(row["id"], Counter())[row["winner"]] += 1
    for name, share in (("gpt4", 0.435), ("gpt3", 0.379)):
        judged = table(folder / f"{name}-crowd-comparisons.csv.gz")
        agreed = np.mean([row["winner"] == votes[row["id"]].most_common(1)[0][0] for row in judged])
        assert len(judged) == 2139
        assert agreed == pytest.approx(share, abs=0.001)


def test_workers_differ_in_reliability(battles: Comparisons) -> None:
    found = crowd_bradley_terry(battles)
    reliability = [judge["reliability"] for judge in found.settings["judges"].values()]
    assert min(reliability) < 0.6
    assert max(reliability) > 0.85
    assert np.corrcoef(found.scores, bradley_terry(battles).scores)[0, 1] > 0.9


@pytest.fixture(scope="module")
def mixed(folder: Path, crowd: list[Row]) -> tuple[Comparisons, Comparisons]:
    """GPT-4 on every pair and the crowd on a random third of them; and the crowd on every pair."""
    judged = table(folder / "gpt4-crowd-comparisons.csv.gz")
    some = set(np.random.default_rng(0).permutation([row["id"] for row in judged])[:713].tolist())
    few = [row for row in crowd if row["id"] in some]
    both = Comparisons.from_labels(
        [row["left"] for row in (*judged, *few)],
        [row["right"] for row in (*judged, *few)],
        [OUTCOME[row["winner"]] for row in (*judged, *few)],
        group=[row["id"] for row in (*judged, *few)],
        judge=["gpt-4"] * len(judged) + ["human"] * len(few),
    )
    return both, encoded(crowd, ["human"] * len(crowd))


def test_few_crowd_votes_with_the_judge_cover_what_the_whole_crowd_says(mixed: tuple[Comparisons, Comparisons]) -> None:
    both, everyone = mixed
    whole, found = bradley_terry(everyone, covariance="sandwich"), prediction_powered(both)
    gap = np.abs(found.scores - whole.scores)
    assert np.mean(gap < 1.96 * np.sqrt(found.covariance.diagonal() + whole.covariance.diagonal())) >= 0.9
    assert 0 < found.settings["power"] < 0.6
    trusting = bradley_terry(both.take(np.asarray(both.judge) == 0), covariance="sandwich")
    gap = np.abs(trusting.scores - whole.scores)
    assert np.mean(gap < 1.96 * np.sqrt(trusting.covariance.diagonal() + whole.covariance.diagonal())) < 0.8


def test_gpt_4_rarely_ties_and_has_favourites(mixed: tuple[Comparisons, Comparisons]) -> None:
    found = misclassified_votes(mixed[0])
    confusion = np.array(found.settings["confusions"]["gpt-4"])
    assert confusion[:, 1].max() < 0.1
    assert "gpt-4 favours" in found.notes[0]
