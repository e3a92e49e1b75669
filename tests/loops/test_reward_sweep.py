"""Reward models trained on good and spoilt labels: robust ones are those with which best-of-N works."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch

from whetstone.core.errors import ConfigError, TaskError
from whetstone.loops._bias_material import right_answer, wrong_answer
from whetstone.loops._round import Turn
from whetstone.loops.reward_sweep import reviewed, reward_prompt, reward_sweep, scores
from whetstone.models.grit import load_grit
from whetstone.models.grit.dialect import GritDialect
from whetstone.tasks.load import load_task
from whetstone.worlds import ledger


@pytest.mark.slow
def test_first_places_foretell_best_of_n_over_trained_rewards(drive_on) -> None:
    torch.set_num_threads(1)
    model, before = load_grit(), load_grit().fingerprint
    (only,) = reward_sweep(model, load_task("ledger:levels=2-3"), drive_on(model), monitor=40)
    found = only.metrics
    assert found["link"].n == 9
    assert found["link"].estimate > 0.5
    assert found["link"].interval[0] > 0
    assert found["link"].verdict == "robust rewards choose better"
    good, bad = (found[f"best of 16 {name}"].estimate for name in ("400 spoilt 0", "as is"))
    assert good > bad + 0.3
    assert found["first_place 400 spoilt 0"].verdict == "finds the right answer more often than chance"
    assert found["over_optimisation as is"].estimate > 0.1, "more samples make a bad reward worse"
    assert model.fingerprint == before


def test_sets_have_one_right_answer() -> None:
    rng = Random(1)
    for example in load_task("ledger:levels=2-4").examples("dev", n=60):
        question = example.meta["question"]
        assert ledger.read_answer(right_answer(rng, example)) == example.target
        assert ledger.read_answer(wrong_answer(rng, example)) != example.target
        assert GritDialect().encode(reward_prompt(example.question, "53", "#")) == f"Q{question}?53C#T"


def test_rewards_of_answers_with_their_critiques(drive_on) -> None:
    model, task = load_grit(), load_task("ledger:levels=2")
    examples = list(task.examples("dev", n=3))
    rng = Random(2)
    rows = reviewed(
        Turn(1, drive_on(model)), "x", task, examples, [[right_answer(rng, e), wrong_answer(rng, e)] for e in examples]
    )
    assert [[one.critique[-1] for one in row] for row in rows] == [["Y", "N"]] * 3
    found = scores(model, [row[:1] * 2 for row in rows])
    assert found.shape == (3, 2)
    assert np.allclose(found[:, 0], found[:, 1], atol=1e-4)


def test_mistakes_are_named(drive_on) -> None:
    model = load_grit()
    with pytest.raises(ConfigError, match="probabilities"):
        next(reward_sweep(model, load_task("ledger:levels=2"), drive_on(model), spoilt=(2.0,)))
    with pytest.raises(TaskError, match="monitor must be 1 or more"):
        next(reward_sweep(model, load_task("ledger:levels=2"), drive_on(model), monitor=0))
    with pytest.raises(ConfigError, match="ledger task"):
        next(reward_sweep(model, load_task("countdown"), drive_on(model)))
