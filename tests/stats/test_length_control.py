"""Win rates at equal length: a planted length bias is taken out, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from whetstone.stats.length_control import length_controlled_win_rate


def simulated(seed: int, n: int, merit: float, bias: float, longer: float = 300.0):
    """A judge whose log-odds are a system's merit plus a bias on the length difference."""
    rng = np.random.default_rng(seed)
    baseline = rng.gamma(4, 200, n)
    lengths = np.maximum(1, baseline + rng.normal(longer, 400, n))
    gap = lengths - baseline
    won = rng.random(n) < expit(merit + bias * np.tanh(gap / gap.std()))
    return won.astype(float), lengths, baseline


def test_takes_out_the_planted_bias_and_nothing_from_a_fair_judge() -> None:
    won, lengths, baseline = simulated(1, 4000, 0.0, 1.5)
    found = length_controlled_win_rate(won, lengths, baseline)
    assert won.mean() > 0.62
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert float(found.note.split()[-1]) == pytest.approx(1.5, abs=0.2)
    won, lengths, baseline = simulated(2, 4000, 0.8, 0.0)
    fair = length_controlled_win_rate(won, lengths, baseline)
    assert fair.value == pytest.approx(won.mean(), abs=0.02)


def test_intervals_cover() -> None:
    hits = 0
    for seed in range(300):
        low, high = length_controlled_win_rate(*simulated(seed, 250, 0.4, 0.8)).interval
        hits += low <= expit(0.4) <= high
    assert 0.92 <= hits / 300 <= 0.98


def test_clusters_and_what_cannot_be_fitted() -> None:
    won, lengths, baseline = (np.repeat(column, 4) for column in simulated(3, 100, 0.4, 0.8))
    narrow = length_controlled_win_rate(won, lengths, baseline)
    wide = length_controlled_win_rate(won, lengths, baseline, groups=np.arange(400) // 4)
    assert wide.stderr / narrow.stderr == pytest.approx(2, rel=0.05)
    assert length_controlled_win_rate([1, 1, 1], [3, 4, 5], [1, 2, 3]).value is None
    same = length_controlled_win_rate([1, 0, 1, 1], [5] * 4, [3] * 4)
    assert same.value == pytest.approx(0.75, abs=1e-6)
    assert same.note == "all length differences are equal"
