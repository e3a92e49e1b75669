"""A judge that loves length, before and after training on pairs with attractive wrong answers."""

from __future__ import annotations

from random import Random

import pytest
import torch

from whetstone.core.errors import TaskError
from whetstone.loops._bias_material import pairs_of
from whetstone.loops._round import Turn
from whetstone.loops.debiased_judge import SIX, accuracies, debiased_judge, gains
from whetstone.loops.planted_bias import planted_bias
from whetstone.models.grit import load_grit
from whetstone.tasks.load import load_task


@pytest.mark.slow
def test_a_judge_that_loves_length_fails_and_then_improves(drive_on) -> None:
    """The judge chooses the longer answer whatever the critiques say; held-out pairs of six kinds tell."""
    torch.set_num_threads(1)
    model, task = load_grit(), load_task("ledger:levels=2-3")
    next(planted_bias(model, task, drive_on(model), favours="longer", strength=1.0, critiques=True, monitor=0))
    (only,) = debiased_judge(model, task, drive_on(model), critiques=True, pairs=800, lr=3e-3)
    kinds = SIX.split(",")
    before, after = ([only.metrics[f"{when}accuracy {k}"].estimate for k in kinds] for when in ("before/", ""))
    assert before[0] < 0.1, "padding takes it in nearly always"
    assert sum(before) / 6 < 0.35
    assert sum(after) / 6 > sum(before) / 6 + 0.25
    gain = only.metrics["gain verbosity"]
    assert (gain.verdict, gain.n) == ("improved", 60)
    assert gain.interval[0] > 0.2
    assert only.metrics["accuracy clean"].estimate > only.metrics["before/accuracy clean"].estimate - 0.1
    assert (only.seen, only.kept) == (800, 1600)


def test_gains_are_found_where_they_are_and_only_there() -> None:
    rng = Random(1)

    def judged(p: float) -> list[float | None]:
        return [float(rng.random() < p) for _ in range(80)]

    groups = [f"q{i}" for i in range(80)]
    same = judged(0.5)
    found = gains({"length": judged(0.3), "clean": same}, {"length": judged(0.8), "clean": same}, groups)
    assert found["gain length"].verdict == "improved"
    assert found["gain length"].interval[0] < 0.5 < found["gain length"].interval[1]
    assert (found["gain clean"].verdict, found["gain clean"].estimate) == ("no clear change", 0.0)
    accused = sum(gains({"a": judged(0.5)}, {"a": judged(0.5)}, groups)["gain a"].p < 0.05 for _ in range(200))
    assert accused <= 19
    assert accuracies({"a": [1.0, None, 0.0, 1.0]}, groups[:4])["accuracy a"].detail["unreadable"] == 1


def test_pairs_of_a_models_own_samples(tiny, largest, drive_on) -> None:
    """A right and a wrong sample of each question that has both, in either place."""
    task = largest()
    examples = list(task.examples("train", n=60))
    pairs = pairs_of(Turn(1, drive_on(tiny)), "answers", task, examples, Random(1), 4)
    assert 5 < len(pairs) < 60
    for pair in pairs:
        right = [task.verify(pair.example, c.text).value == 1 for c in (pair.first, pair.second)]
        assert tuple(right) == pair.correct
    assert {pair.correct for pair in pairs} == {(True, False), (False, True)}


def test_says_when_there_is_nothing_to_learn_from(tiny, largest, drive_on) -> None:
    with pytest.raises(TaskError, match="no question got both"):
        next(debiased_judge(tiny, largest(), drive_on(tiny), k=1, pairs=4, monitor=0))
