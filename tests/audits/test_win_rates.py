"""Remedies against a judge's errors, measured on planted ones."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.recorded import Verdicts
from whetstone.audits.win_rates import win_rates
from whetstone.core.errors import ConfigError

TRUTH = 0.7


def judged(seed: int, pairs: int, labelled: int, *, position: float = 0.0, favour: float = 0.0, orders: int = 2):
    """A system that wins 70 % by people, under a judge that takes the first shown or the second system by bias."""
    rng = np.random.default_rng(seed)
    gold = (rng.random(pairs) < TRUTH).astype(float)

    def ask(swapped: bool) -> np.ndarray:
        truth = 1 - gold if swapped else gold
        chosen = np.where(rng.random(pairs) < 0.1, 1 - truth, truth)
        chosen = np.where(rng.random(pairs) < favour, float(swapped), chosen)
        return np.where(rng.random(pairs) < position, 1.0, chosen)

    shown = np.where(np.arange(pairs) < labelled, gold, np.nan)
    every = np.concatenate([ask(False), ask(True)])[: orders * pairs]
    return Verdicts(
        every,
        np.tile(np.arange(pairs), orders),
        np.repeat([False, True], pairs)[: orders * pairs],
        np.concatenate([shown, 1 - shown])[: orders * pairs],
    )


def test_each_remedy_takes_out_what_it_is_for() -> None:
    found = {f.name: f for f in win_rates(judged(1, 4000, 400, position=0.4))}
    assert found["one order"].interval[0] > TRUTH + 0.05
    assert found["error of one order"].verdict == "too high"
    assert abs(found["both orders"].estimate - TRUTH) < abs(found["one order"].estimate - TRUTH) + 0.05
    for name in ("human", "prediction-powered", "corrected"):
        low, high = found[name].interval
        assert low < TRUTH < high
    widths = {name: f.interval[1] - f.interval[0] for name, f in found.items() if f.interval}
    assert widths["prediction-powered"] < widths["human"], "the judge's verdicts are worth something"
    unfair = {f.name: f for f in win_rates(judged(2, 4000, 400, favour=0.3))}
    assert unfair["both orders"].interval[1] < TRUTH - 0.1, "both orders do not help against a liking for a system"
    assert unfair["error of both orders"].verdict == "too low"
    assert unfair["prediction-powered"].interval[0] < TRUTH < unfair["prediction-powered"].interval[1]


def test_corrected_intervals_cover_and_an_honest_judge_is_not_accused() -> None:
    hits, accused = dict.fromkeys(("prediction-powered", "corrected"), 0), 0
    for seed in range(200):
        found = {f.name: f for f in win_rates(judged(seed, 600, 150, position=0.2, favour=0.1))}
        for name in hits:
            low, high = found[name].interval
            hits[name] += low < TRUTH < high
    assert all(180 <= count <= 199 for count in hits.values()), hits
    for seed in range(200):
        rng = np.random.default_rng(seed)
        gold = rng.random(100) < 0.5
        noisy = np.where(rng.random(100) < 0.2, ~gold, gold)
        found = {f.name: f for f in win_rates(Verdicts(noisy.astype(float), gold=gold.astype(float)))}
        accused += found["error of one order"].p < 0.05
    assert accused <= 19


def test_columns_that_are_missing_leave_remedies_out() -> None:
    names = [f.name for f in win_rates(judged(1, 50, 0, orders=1))]
    assert names == ["one order"]
    with pytest.raises(ConfigError, match="no verdict could be read"):
        win_rates(Verdicts(np.array([np.nan])))
    lengths = np.random.default_rng(1).integers(10, 90, (200, 2)).astype(float)
    both = judged(1, 100, 0)
    found = [f.name for f in win_rates(Verdicts(both.chosen, both.pair, both.swapped, lengths=lengths))]
    assert found == ["one order", "both orders", "length controlled"]
