"""The study that compares ways of training a judge: same start, same items, paired differences."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.models.scripted import ScriptedModel
from whetstone.studies.judge_training import judge_training, parsed

SMALL = (
    *("source=rows", "questions=50", "k=4", "temperature=1.0", "monitor=30", "lr=0.01"),
    *("tokens_per_batch=256", "epochs=4", "protocol=critique"),
)


def test_tells_true_labels_from_verdicts_at_random(novice, signs, drive_on):
    before = novice.fingerprint
    found = {f.name: f for f in judge_training(novice, signs(), drive_on(novice), arms=("judge_sft",), settings=SMALL)}
    assert found["judge_sft minus untrained"].verdict == "better"
    assert found["judge_sft minus untrained"].n == found["untrained: accuracy"].n == 60
    assert {"untrained: solver", "judge_sft: solver", "judge_sft: auroc"} <= set(found)
    assert novice.fingerprint == before
    found = {
        f.name: f
        for f in judge_training(novice, signs(labels="shuffled"), drive_on(novice), arms=("judge_sft",), settings=SMALL)
    }
    assert found["judge_sft: accuracy"].interval[0] < 0.55


def test_arms_take_shared_settings_and_their_own():
    arm = parsed("judge_sft:imitate=verdicts:questions=9", ("questions=5", "beta=0.2", "protocol=pairwise"), 3)
    assert arm.options == {"imitate": "verdicts", "questions": 9, "protocol": "pairwise", "seed": 3}
    assert parsed("djpo:rival=false", (), 0).options["rival"] is False
    with pytest.raises(ConfigError, match="no option 'beta'"):
        parsed("judge_sft:beta=1", (), 0)
    with pytest.raises(ConfigError, match="name=value"):
        parsed("judge_sft", ("questions",), 0)


@pytest.mark.parametrize(
    ("arms", "settings", "message"),
    [
        ((), SMALL, "arms are one or more loops"),
        (("judge_sft", "judge_sft"), SMALL, "none of them twice"),
        (("judge_sft:rounds=0",), SMALL, "judge_sft:rounds=0 has no round"),
        (("judge_sft:monitor=0:questions=2:epochs=1",), SMALL, "judges no held-out items"),
        (("judge_sft",), (*SMALL, "question=9"), "no loop of arms has 'question'"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(novice, signs, drive_on, arms, settings, message):
    before = novice.fingerprint
    with pytest.raises(ConfigError, match=message):
        judge_training(novice, signs(), drive_on(novice), arms=arms, settings=settings)
    assert novice.fingerprint == before


def test_an_arm_that_could_not_be_trained_says_why(novice, signs, drive_on):
    arms = ("judge_sft:questions=4:epochs=1:monitor=6", "judge_sft:questions=0:monitor=6")
    found = {f.name: f for f in judge_training(novice, signs(), drive_on(novice), arms=arms, settings=SMALL)}
    lost = found[f"{arms[1]}: accuracy"]
    assert (lost.estimate, lost.n) == (None, 0)
    assert lost.verdict == "no judgment reaches the true verdict: nothing to imitate"


def test_a_model_that_cannot_be_trained_is_refused(signs, drive_on):
    model = ScriptedModel(["Y"])
    with pytest.raises(ConfigError, match="cannot be trained"):
        judge_training(model, signs(), drive_on(model))
