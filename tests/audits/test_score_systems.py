"""The order of systems by recorded scores."""

from __future__ import annotations

import numpy as np

from whetstone.audits.score_columns import Scores
from whetstone.audits.score_systems import score_systems


def scores(seed: int, n: int, *, sharp: float = 1.0, favour: float = 0.0, lost: int = 0) -> Scores:
    """People's and a judge's scores of four systems on `n` prompts, a row each; the judge favours the second."""
    rng = np.random.default_rng(seed)
    merit = np.linspace(-0.6, 0.6, 4)
    human = merit + rng.normal(size=(n, 4))
    judge = merit + favour * (np.arange(4) == 1) + rng.normal(size=(n, 4)) / sharp
    value = judge.ravel()
    value[:lost] = np.nan
    return Scores(
        value, np.repeat(np.arange(n), 4), human.ravel(), system=np.tile(np.arange(4), n), names=tuple("abcd")
    )


def audit(given: Scores) -> dict:
    return {f.name: f for f in score_systems(given)}


def test_recovers_planted_sharpness_and_bias_from_rows() -> None:
    fair = audit(scores(1, 500))
    assert fair["system_order"].estimate > 0.9
    assert {fair[f"bias {name}"].verdict for name in "abcd"} == {"no bias found"}
    assert fair["decisiveness"].verdict == "neither sharper nor blunter than people"
    assert audit(scores(1, 500, sharp=3.0))["decisiveness"].verdict == "exaggerates gaps"
    leaning = audit(scores(1, 500, favour=0.7))
    assert leaning["bias b"].verdict == "favours it"
    assert leaning["bias b"].interval[0] > 0.05


def test_prompts_with_gaps_are_left_out_and_few_say_nothing() -> None:
    assert audit(scores(2, 100, lost=5))["system_order"].detail["left_out"] == 2
    assert audit(scores(2, 3000))["system_order"].n == 2000
    assert score_systems(scores(2, 8)) == []
    right = scores(2, 50)
    assert (
        score_systems(
            Scores(right.value, right.prompt, (right.label > 0).astype(float), system=right.system, names=right.names)
        )
        == []
    )
