"""Two-turn logs: hand-worked values, planted flip rates, and a vote for the same tokens."""

from __future__ import annotations

import random

import pytest

from whetstone.studies._correction import decompose
from whetstone.studies.self_correction import self_correction


def by_name(findings):
    return {f.name.rpartition(" of ")[0] or f.name: f for f in findings}


def test_equals_hand_computed_values():
    log = [
        [(True, True), (True, False)],
        [(False, True), (False, False)],
        [(True, True), (False, False)],
        [(True, True), (True, True)],
    ]
    found = by_name(decompose("x", log))
    assert found["CL"].estimate == pytest.approx(4 / 5)
    assert found["CS"].estimate == pytest.approx(1 / 3)
    acc1, acc2 = 5 / 8, 5 / 8
    assert acc2 == pytest.approx(acc1 * 4 / 5 + (1 - acc1) * 1 / 3)
    assert found["RSS"].estimate == pytest.approx((acc2 - acc1**2) / (2 * acc1 * (1 - acc1))) == pytest.approx(0.5)
    assert found["change by x"].estimate == 0.0
    assert found["oracle gap"].estimate == pytest.approx(1 / 8)
    detail = found["change by x"].detail
    assert [detail[key] for key in ("right_right", "right_wrong", "wrong_right", "wrong_wrong")] == [4, 1, 1, 2]


def test_undefined_values_are_unknown():
    found = by_name(decompose("x", [[(True, True)], [(True, False)]]))
    assert found["CS"].estimate is None
    assert found["RSS"].estimate is None
    assert found["CL"].estimate == 0.5


@pytest.mark.parametrize(("keep", "mend"), [(0.95, 0.6), (0.6, 0.1), (0.9, 0.1)])
def test_intervals_cover_planted_flip_rates(keep, mend):
    covered = 0
    for seed in range(40):
        dice, log = random.Random(seed), []
        for _ in range(60):
            before = [dice.random() < 0.5 for _ in range(4)]
            log.append([(b, dice.random() < (keep if b else mend)) for b in before])
        found = by_name(decompose("x", log, seed=seed))
        covered += found["CL"].interval[0] <= keep <= found["CL"].interval[1]
        covered += found["CS"].interval[0] <= mend <= found["CS"].interval[1]
    assert covered >= 70


def test_recovers_planted_flip_rates(letters, drive_on, model_that):
    keep, mend = 0.95, 0.4

    def planted(request, dice):
        form = request.prompt[-1].parts[0]
        if form.name == "critique":
            return "N"
        if form.name == "refine":
            return "r" if dice.random() < (keep if form["answer"][0] == "r" else mend) else "w"
        return dice.choice("rw")

    model = model_that(planted)
    found = by_name(self_correction(model, letters(), drive_on(model), questions=120, trials=4))
    assert found["CL"].interval[0] < keep < found["CL"].interval[1]
    assert found["CS"].interval[0] < mend < found["CS"].interval[1]
    assert found["change by self_refine"].estimate == pytest.approx(0.5 * keep + 0.5 * mend - 0.5, abs=0.06)
    assert "helps" in found["change by self_refine"].verdict
    assert found["RSS"].estimate > 0.5
    assert found["self_refine against a vote"].detail["votes"] == 4


def test_a_critic_that_accepts_everything_changes_nothing(letters, drive_on, model_that):
    model = model_that(
        lambda request, dice: "Y" if request.prompt[-1].parts[0].name == "critique" else dice.choice("rw")
    )
    found = by_name(self_correction(model, letters(), drive_on(model), questions=40, trials=2))
    assert found["change by self_refine"].estimate == 0.0
    assert found["CL"].estimate == 1.0
    assert found["CS"].estimate == 0.0
    assert found["RSS"].estimate == pytest.approx(0.5)
