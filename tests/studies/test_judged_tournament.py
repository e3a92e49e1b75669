"""A judge that sees quality orders settings by accuracy; one that does not, does not."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.studies.judged_tournament import judged_tournament

TEMPERATURES = (0.2, 0.5, 0.8, 1.1)


def player(sharp):
    """Right with a chance that falls with the temperature; as a judge right with a chance of `sharp`."""

    def answer(request, dice):
        (part,) = request.prompt[-1].parts
        if part.name == "solve":
            return dice.choices("rw", (1.05 - 0.8 * request.sampling.temperature, 0.8 * request.sampling.temperature))[
                0
            ]
        if part.name == "critique":
            return "no remark"
        first, second = (dict(part.fields)[side] for side in ("first", "second"))
        if dice.random() > sharp:
            return f"Verdict: {dice.choice('AB')}"
        return "Verdict: " + ("E" if first == second else "A" if first == "r" else "B")

    return answer


def found(letters, drive_on, model_that, sharp, **options):
    model = model_that(player(sharp))
    options = {"questions": 60, "rounds": 100, "temperatures": TEMPERATURES, **options}
    return {f.name: f for f in judged_tournament(model, letters(), drive_on(model), **options)}


def test_a_good_judge_orders_settings_by_accuracy(letters, drive_on, model_that):
    result = found(letters, drive_on, model_that, 1.0)["tournament against accuracy"]
    assert result.estimate == pytest.approx(1.0)
    assert result.interval[0] > 0.5
    assert result.detail["matches"] == 60 * 3
    assert result.detail["unreadable"] == result.detail["left_out"] == 0
    assert list(result.detail["accuracy"].values()) == sorted(result.detail["accuracy"].values(), reverse=True)


def test_a_blind_judge_orders_nothing(letters, drive_on, model_that):
    result = found(letters, drive_on, model_that, 0.0)
    assert result["tournament against accuracy"].interval[0] < 0.5
    assert "no clear difference" in result["tournament minus anchored"].verdict


def test_unreadable_verdicts_are_counted(letters, drive_on, model_that):
    def silent(request, dice):
        solves = request.prompt[-1].parts[0].name == "solve"
        return dice.choice("rw") if solves else "hm"

    model = model_that(silent)
    first, *_ = judged_tournament(model, letters(), drive_on(model), questions=12, rounds=20)
    assert first.detail["unreadable"] > 0


def test_two_settings_have_no_rank_correlation(letters, drive_on, model_that):
    with pytest.raises(ConfigError, match="three"):
        found(letters, drive_on, model_that, 1.0, temperatures=(0.1, 0.2))
