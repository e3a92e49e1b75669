"""Plain training of a judge: better from true labels, in every protocol, and nothing from shuffled ones."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.loops.judge_sft import judge_sft
from whetstone.tasks.load import load_task

SMALL = {
    "source": "rows",
    "questions": 60,
    "k": 4,
    "temperature": 1.0,
    "monitor": 30,
    "lr": 1e-2,
    "tokens_per_batch": 256,
    "epochs": 5,
}


@pytest.mark.parametrize("protocol", ["critique", "pairwise"])
def test_learns_from_true_labels_and_not_from_shuffled_ones(novice, signs, drive_on, protocol):
    start = novice.state()
    (true,) = judge_sft(novice, signs(), drive_on(novice), protocol=protocol, **SMALL)
    novice.load_state(start)
    (shuffled,) = judge_sft(novice, signs(labels="shuffled"), drive_on(novice), protocol=protocol, **SMALL)
    assert true.metrics["accuracy"].estimate > 0.95
    assert true.metrics["gain"].estimate > 0.25
    assert true.metrics["gain"].p < 0.01
    assert shuffled.metrics["accuracy"].interval[0] < 0.55


def test_verdicts_alone_are_imitated_too(novice, signs, drive_on):
    (done,) = judge_sft(novice, signs(), drive_on(novice), protocol="p_true", imitate="verdicts", **SMALL)
    assert done.kept == 120
    assert done.metrics["accuracy"].estimate > 0.95
    assert done.metrics["auroc"].estimate > 0.95


def test_a_round_reports_the_solver_beside_the_judge(novice, signs, drive_on):
    (done,) = judge_sft(novice, signs(), drive_on(novice), **SMALL)
    assert done.metrics["before/solver"].n == done.metrics["solver"].n == 30
    assert set(done.metrics["accuracy"].detail["marks"].values()) <= {0.0, 1.0}


def test_what_is_wrong_with_the_settings_is_said(novice, signs, drive_on):
    with pytest.raises(ConfigError, match="unknown protocol"):
        next(judge_sft(novice, signs(), drive_on(novice), protocol="votes"))
    with pytest.raises(ConfigError, match="rehearse is 1"):
        next(judge_sft(novice, signs(), drive_on(novice), rehearse=1.0))
    with pytest.raises(TaskError, match="candidates"):
        next(judge_sft(novice, load_task("ledger:levels=2-3"), drive_on(novice), **SMALL))
