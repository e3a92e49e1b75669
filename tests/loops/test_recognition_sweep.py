"""Recognition fine-tuned up and down, and the preference that follows it or does not."""

from __future__ import annotations

from random import Random

import pytest
import torch

from whetstone.core.errors import ConfigError
from whetstone.loops._recognition import Shares, linked, moved
from whetstone.loops.recognition_sweep import recognition_sweep
from whetstone.models.grit import load_grit
from whetstone.tasks.load import load_task


def arm(rng: Random, knows: float, likes: float, n: int = 60) -> Shares:
    """Shares of pairs that scatter around these means."""
    return {f"p{i}": (knows + rng.gauss(0, 0.1), likes + rng.gauss(0, 0.1)) for i in range(n)}


def sweep(rng: Random, slope: float) -> dict[str, Shares]:
    """Recognition from .2 to .8 in seven arms, preference on a line of this slope through one half."""
    return {f"arm {i}": arm(rng, 0.2 + i / 10, 0.5 + slope * (i / 10 - 0.3)) for i in range(7)}


def test_preference_follows_recognition_where_planted_and_not_elsewhere() -> None:
    for slope, told in ((0.5, "preference follows recognition"), (-0.5, "preference runs against recognition")):
        link, rise = linked(sweep(Random(1), slope))
        assert link.estimate == pytest.approx(1.0 if slope > 0 else -1.0, abs=0.2)
        assert rise.interval is not None
        assert rise.interval[0] < slope < rise.interval[1]
        assert (rise.verdict, link.n, rise.n) == (told, 7, 60)
        assert len(rise.detail["points"]) == 7
    accused = sum(
        linked(sweep(Random(seed), 0.0), seed=seed)[1].verdict.startswith("preference") for seed in range(200)
    )
    assert 2 <= accused <= 21, "an interval of 95 % over pairs"


def test_controls_that_move_preference_are_seen() -> None:
    rng = Random(2)
    before = arm(rng, 0.5, 0.5)
    assert moved("random", arm(rng, 0.5, 0.7), before).verdict == "moves preference without recognition"
    fair = [moved("random", arm(Random(seed), 0.5, 0.5), before).p for seed in range(200)]
    assert sum(p < 0.05 for p in fair) <= 40, "one `before` for all, so they err together"
    still = moved("random", {**before, "p0": (None, None)}, before)
    assert (still.n, still.estimate) == (59, 0.0)


def test_arms_that_cannot_be_read_take_no_part() -> None:
    arms = sweep(Random(3), 0.5)
    arms["mute"] = dict.fromkeys(arms["arm 0"], (None, 0.5))
    link, _ = linked(arms)
    assert (link.n, link.detail["left_out"]) == (7, ["mute"])
    (alone,) = linked({"a": arms["arm 0"], "mute": arms["mute"]})
    assert (alone.estimate, alone.verdict) == (None, "not measured: fewer than three arms could be read")


def test_on_grit_preference_follows_recognition_and_controls_leave_it(drive_on) -> None:
    """Nothing is planted here: recognition is taught under one form, preference asked under another."""
    torch.set_num_threads(1)
    model, before = load_grit(), load_grit().fingerprint
    task = load_task("ledger:levels=2")
    (only,) = recognition_sweep(model, task, drive_on(model), amounts=(200, 500), monitor=50, lr=7e-3)
    found = only.metrics
    assert found["recognition up 500"].estimate > found["recognition down 500"].estimate + 0.05
    assert found["slope"].verdict == "preference follows recognition"
    assert found["slope"].estimate > 0.1
    wide = abs(found["preference up 500"].estimate - found["preference down 500"].estimate)
    assert all(abs(found[f"control {name}"].estimate) < max(0.03, wide) for name in ("random", "longer"))
    assert model.fingerprint == before, "every arm starts from the same weights, which are put back"
    with pytest.raises(ConfigError, match="ledger task"):
        next(recognition_sweep(model, load_task("countdown"), drive_on(model)))
