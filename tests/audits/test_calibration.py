"""Calibration of a signal."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.audits.calibration import calibrated, calibration
from whetstone.core.types import Case, Signal


def audit(toy, seed: int, n: int, *, informed: bool, stretch: float = 1.0, kind: str = "probability"):
    """Confidences drawn uniformly; right with that probability (stretched away from 1/2), or by a coin."""
    rng = Random(seed)
    cases, values = [], []
    for i in range(n):
        p = rng.random()
        right = rng.random() < (p if informed else 0.5)
        stated = min(max(0.5 + stretch * (p - 0.5), 0.0), 1.0)
        cases.append(Case(toy.question(i), toy.candidates("x"), (right,)))
        values.append([Signal(stated, kind)])
    return {f.name: f for f in calibrated(cases, values)}


def test_finds_the_planted_calibration_and_nothing_in_noise(toy) -> None:
    honest = audit(toy, 0, 500, informed=True)
    assert honest["auroc"].estimate == pytest.approx(5 / 6, abs=0.04), "uniform confidences that are true have 5/6"
    assert honest["auroc"].verdict == "separates right from wrong"
    assert honest["ece"].verdict == "is calibrated, as far as can be told"
    assert honest["brier"].estimate == pytest.approx(1 / 6, abs=0.02)
    bold = audit(toy, 0, 500, informed=True, stretch=4.0)
    assert bold["auroc"].verdict == "separates right from wrong"
    assert bold["ece"].verdict == "is not calibrated"
    assert bold["ece"].estimate > 0.15
    accused = sum(audit(toy, seed, 80, informed=False, kind="score")["auroc"].p < 0.05 for seed in range(200))
    assert 2 <= accused <= 19


def test_scores_have_no_calibration_error(toy) -> None:
    assert set(audit(toy, 0, 50, informed=True, kind="score")) == {"auroc"}


def test_runs_the_signal_and_counts_what_is_left_out(toy) -> None:
    def model(request):
        answer = toy.asked(request)[1]["answer"]
        return toy.said({"right": "Confidence: 90", "wrong": "Confidence: 20"}.get(answer, "?"))

    cases = [toy.case(i, ("right", "wrong", "odd", "right"), (True, False, True, None)) for i in range(10)]
    found = {f.name: f for f in toy.run(calibration(toy.task, cases, signal="verbalized"), model)}
    assert found["auroc"].estimate == 1
    assert found["auroc"].detail["left_out"] == 20


def test_a_silent_signal_is_named(toy) -> None:
    (finding,) = toy.run(calibration(toy.task, [toy.case(0, ("x",), (True,))], signal="mean_logprob"))
    assert finding.verdict.startswith("not measured: mean_logprob: the generation has no token")
