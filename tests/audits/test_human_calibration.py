"""Verdicts calibrated on people's labels."""

from __future__ import annotations

import numpy as np
import pytest

from whetstone.audits.human_calibration import human_calibration
from whetstone.audits.recorded import Verdicts
from whetstone.core.errors import ConfigError


def judged(seed: int, n: int, *, place: float = 0.0, length: float = 0.0, skill: float = 1.5) -> Verdicts:
    """Probabilities of a judge whose log-odds are the truth, and place and length besides; two rows a prompt."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 900, (n, 2)).astype(float)
    gold = rng.integers(0, 2, n).astype(float)
    longer = np.log1p(lengths[:, 0]) - np.log1p(lengths[:, 1])
    odds = skill * (2 * gold - 1) + rng.normal(size=n) + place + length * longer
    return Verdicts(1 / (1 + np.exp(-odds)), gold=gold, lengths=lengths, group=np.arange(n) // 2)


def audit(verdicts: Verdicts, **options):
    return {f.name: f for f in human_calibration(verdicts, **options)}


def test_takes_out_planted_biases_and_costs_a_fair_judge_nothing() -> None:
    for planted in ({"place": 2.0}, {"length": 1.5}):
        found = audit(judged(1, 300, **planted))
        assert found["gain"].verdict == "calibration helps"
        assert found["gain"].interval[0] > 0.02
        assert found["brier change"].interval[1] < 0
        assert found["accuracy calibrated"].estimate == pytest.approx(0.93, abs=0.05), "what an unbiased judge has"
    assert audit(judged(2, 300, place=2.0))["first place"].estimate < -0.5, "the weight takes the place's share back"
    assert audit(judged(2, 300, length=1.5))["longer"].estimate < -0.5
    helped = sum(audit(judged(seed, 80))["gain"].p < 0.05 for seed in range(200))
    assert helped <= 19
    fair = np.mean([audit(judged(seed, 200))["gain"].estimate for seed in range(20)])
    assert abs(fair) < 0.02


def test_rows_without_a_label_or_a_verdict_are_left_out_and_counted() -> None:
    verdicts = judged(3, 100)
    gold = verdicts.gold.copy()
    gold[:30] = np.nan
    gold[30:35] = 0.5
    found = audit(Verdicts(verdicts.chosen, gold=gold, group=verdicts.group))
    assert (found["accuracy"].n, found["accuracy"].detail["left_out"]) == (65, 35)
    assert "longer" not in found
    with pytest.raises(ConfigError, match="too few to calibrate on"):
        human_calibration(Verdicts(verdicts.chosen[:10], gold=verdicts.gold[:10]))
