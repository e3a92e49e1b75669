"""Guards: they fire on planted trouble, and rarely on clean runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from whetstone.core.types import Finding, Round
from whetstone.loops.acceptance_rate import acceptance_rate
from whetstone.loops.diversity_collapse import diversity_collapse
from whetstone.loops.length_drift import length_drift
from whetstone.loops.proxy_gold_gap import proxy_gold_gap
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean, proportion, wilson

QUESTIONS, K = 64, 8


def measured(
    rng: np.random.Generator,
    *,
    gold: float,
    accept: float = 1.0,
    wrong: float = 0.0,
    length: float = 40.0,
    distinct=0.4,
) -> dict[str, Finding]:
    """Metrics of simulated samples: each is right with `gold` (varying by question); right ones are accepted with
    `accept`, wrong ones with `wrong`."""
    difficulty = np.clip(rng.normal(gold, 0.15, QUESTIONS), 0, 1)
    right = rng.random((QUESTIONS, K)) < difficulty[:, None]
    kept = rng.random((QUESTIONS, K)) < np.where(right, accept, wrong)
    ids = np.repeat(np.arange(QUESTIONS), K)
    fewer = np.minimum((kept & right).sum(1), (kept & ~right).sum(1)).sum()
    found = {
        "gold": proportion(right.ravel().astype(float), groups=ids),
        "proxy": proportion(kept.ravel().astype(float), groups=ids),
        "precision": proportion(right[kept].astype(float), groups=np.repeat(np.arange(QUESTIONS), K)[kept.ravel()]),
        "gap": clustered_mean((kept * 1.0 - right).ravel(), ids),
        "exploration": wilson(int(right.any(1).sum()), QUESTIONS),
        "length": clustered_mean(rng.normal(length, 8, QUESTIONS * K), ids),
        "distinct": proportion(np.clip(rng.normal(distinct, 0.1, QUESTIONS), 0, 1)),
        "contradiction": wilson(int(fewer), max(1, int(kept.sum()))),
        "train/accept_rate": wilson(6 * int(kept.any(1).sum()), 6 * QUESTIONS),
    }
    return {name: finding(name, estimate) for name, estimate in found.items()}


def run(seed: int, *settings: dict[str, float]) -> list[Round]:
    """Rounds from simulated metrics; the first settings are those before training."""
    rng = np.random.default_rng(seed)
    first, *rest = [measured(rng, **s) for s in settings]
    baseline = {f"before/{name}": f for name, f in first.items()}
    return [Round(i + 1, 512, 300, {**(baseline if i == 0 else {}), **m}) for i, m in enumerate(rest)]


def alarms(rounds: Sequence[Round]) -> set[str]:
    guards = (proxy_gold_gap, diversity_collapse, length_drift, acceptance_rate)
    found = [guard(rounds[: i + 1]) for guard in guards for i in range(len(rounds))]
    return {alarm.guard for alarm in found if alarm}


CLEAN = [{"gold": 0.55, "accept": 0.95, "wrong": 0.04}] * 2 + [{"gold": 0.65, "accept": 0.95, "wrong": 0.04}] * 2


def test_clean_runs_raise_few_false_alarms():
    runs = 100
    assert sum(bool(alarms(run(seed, *CLEAN))) for seed in range(runs)) <= 0.03 * runs


def test_runs_that_stand_still_raise_few_false_alarms():
    still = [{"gold": 0.5, "accept": 0.9, "wrong": 0.1}] * 4
    assert sum(bool(alarms(run(seed, *still))) for seed in range(100)) <= 0.05 * 100


@pytest.mark.parametrize("seed", range(5))
def test_proxy_gold_gap_fires_on_a_filter_that_believes_too_much(seed):
    naive = {"gold": 0.5, "accept": 1.0, "wrong": 0.95}
    alarm = proxy_gold_gap(run(seed, naive, naive))
    assert alarm is not None
    assert alarm.stop


@pytest.mark.parametrize("seed", range(5))
def test_proxy_gold_gap_fires_when_gold_falls_unseen(seed):
    good, bad = {"gold": 0.7, "accept": 0.8, "wrong": 0.05}, {"gold": 0.45, "accept": 0.9, "wrong": 0.42}
    assert proxy_gold_gap(run(seed, good, bad), tolerance=0.5) is not None


@pytest.mark.parametrize("seed", range(5))
def test_proxy_gold_gap_fires_on_a_filter_that_accepts_at_random(seed):
    random = {"gold": 0.5, "accept": 0.5, "wrong": 0.5}
    alarm = proxy_gold_gap(run(seed, random, random))
    assert alarm is not None
    assert "of what the filter accepts" in alarm.message


def test_proxy_gold_gap_fires_on_a_reward_that_guesses():
    guessing = Finding("ranking_accuracy", 0.5, (0.42, 0.58), 200)
    unproven = Finding("ranking_accuracy", 0.7, (0.55, 0.8), 200)
    telling = Finding("ranking_accuracy", 0.8, (0.72, 0.86), 200)
    assert proxy_gold_gap([Round(1, 10, 5, {"ranking_accuracy": guessing})]).stop
    assert proxy_gold_gap([Round(1, 10, 5, {"ranking_accuracy": unproven})]).stop
    assert proxy_gold_gap([Round(1, 10, 5, {"ranking_accuracy": telling})]) is None


@pytest.mark.parametrize(("mean", "wanted"), [(-0.6, True), (0.4, True), (-0.2, False), (0.0, False)])
def test_proxy_gold_gap_fires_on_a_reward_that_says_no_or_yes_to_everything(mean, wanted):
    gap = Finding("reward_gap", mean, (mean - 0.08, mean + 0.08), 200)
    assert bool(proxy_gold_gap([Round(1, 10, 5, {"reward_gap": gap})])) is wanted


def test_proxy_gold_gap_says_nothing_without_an_audit():
    assert proxy_gold_gap([Round(1, 10, 5, {})]) is None


@pytest.mark.parametrize("seed", range(5))
def test_diversity_collapse_tells_sharpening_from_loss_of_coverage(seed):
    base = {"gold": 0.4, "distinct": 0.6}
    assert diversity_collapse(run(seed, base, {"gold": 0.8, "distinct": 0.15})) is None
    alarm = diversity_collapse(run(seed, base, {"gold": 0.08, "distinct": 0.15}))
    assert alarm is not None
    assert alarm.stop
    unaudited = [
        Round(r.index, r.seen, r.kept, {n: f for n, f in r.metrics.items() if "exploration" not in n})
        for r in run(seed, base, {"gold": 0.8, "distinct": 0.15})
    ]
    warning = diversity_collapse(unaudited)
    assert warning is not None
    assert not warning.stop


@pytest.mark.parametrize("length", [20.0, 75.0])
def test_length_drift_fires_on_shrinking_and_growing_answers(length):
    warned = length_drift(run(0, {"gold": 0.5}, {"gold": 0.5, "length": length}))
    assert warned is not None
    assert not warned.stop
    fallen = length_drift(run(0, {"gold": 0.6}, {"gold": 0.3, "length": length}))
    assert fallen is not None
    assert fallen.stop


def test_acceptance_rate_fires_on_contradicting_labels():
    everything = {"gold": 0.5, "accept": 1.0, "wrong": 1.0}
    alarm = acceptance_rate(run(0, everything, everything))
    assert alarm is not None
    assert "contradict" in alarm.message
    nothing = acceptance_rate(run(0, {"gold": 0.5}, {"gold": 0.5, "accept": 0.0}))
    assert nothing is not None
    assert "labels" in nothing.message
