"""The study on a real model: a reward that says yes to everything loses to agreement, and the model is left alone."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.models.scripted import ScriptedModel
from whetstone.studies.self_reward_collapse import self_reward_collapse


def test_tells_a_blind_reward_from_agreement(tiny, largest, drive_on):
    """`answer_length` is above 0.5 for every answer: a judge that believes everything."""
    before = tiny.fingerprint
    found = {
        f.name: f
        for f in self_reward_collapse(
            tiny, largest(), drive_on(tiny), questions=100, rounds=2, signal="answer_length", held_out=150
        )
    }
    gap = found["accepted minus right, self-reward"]
    assert gap.interval[0] > 0
    assert found["self-reward minus majority"].verdict
    assert "guards" in found["self-reward minus majority"].detail
    assert tiny.fingerprint == before


def test_a_model_that_cannot_be_trained_is_refused(largest, drive_on):
    model = ScriptedModel(["=1"])
    with pytest.raises(ConfigError, match="cannot be trained"):
        self_reward_collapse(model, largest(), drive_on(model))
