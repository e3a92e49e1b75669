"""Roles help on some questions and hurt on others; a judge tells which."""

from __future__ import annotations

from whetstone.core.types import Form
from whetstone.studies.persona_prompts import persona_prompts


def planted(*, knows: bool):
    """The role is right on a third, the plain prompt on another third, both on the rest."""

    def model(request, dice):
        part = request.prompt[-1].parts[0]
        name = part.name if isinstance(part, Form) else ""
        if name == "persona":
            return "You are an expert."
        if name == "compare":
            first, second = (dict(part.fields)[side] for side in ("first", "second"))
            return "Verdict: A" if not knows or first[:1] > second[:1] else "Verdict: B"
        turn = int(request.prompt[-1].text.rpartition("question")[2]) % 3
        acting = request.prompt[0].role == "system"
        return "r" if turn == 2 or acting == (turn == 0) else "a"

    return model


def findings(letters, drive_on, model_that, **options):
    model = model_that(planted(**options))
    return {f.name: f for f in persona_prompts(model, letters(), drive_on(model), questions=90)}


def test_finds_where_roles_help_and_what_the_ensemble_gains(letters, drive_on, model_that) -> None:
    found = findings(letters, drive_on, model_that, knows=True)
    assert [round(found[f"accuracy/{arm}"].estimate, 2) for arm in ("persona", "neutral", "ensemble", "oracle")] == [
        0.67,
        0.67,
        1,
        1,
    ]
    assert found["ensemble - neutral"].verdict == "ensemble is better than neutral"
    assert "no clear difference" in found["persona - neutral"].verdict
    assert (found["accuracy/oracle"].detail["only_persona"], found["accuracy/oracle"].detail["only_neutral"]) == (
        30,
        30,
    )


def test_a_judge_that_goes_by_position_gains_nothing(letters, drive_on, model_that) -> None:
    found = findings(letters, drive_on, model_that, knows=False)
    assert found["ensemble - neutral"].estimate == 0
