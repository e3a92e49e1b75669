"""Importance weighting: samples from elsewhere are found by their loss, and leaving them out helps."""

from __future__ import annotations

import random

import pytest

from whetstone.core.errors import TaskError
from whetstone.loops._train import train
from whetstone.loops.importance_weighting import (
    average,
    distribution_shift,
    importance_weighting,
    least_shifted,
    mean_losses,
)
from whetstone.loops.objectives import Demonstration, likelihood


def test_shift_is_the_folded_ratio_to_the_validation_loss():
    found = distribution_shift([1.0, 0.5, 2.0, 0.1, 100.0], 1.0)
    assert found == pytest.approx([1.0, 2.0, 2.0, 2.0, 5.0])


def material(task, seed: str, n: int) -> list[Demonstration]:
    return [Demonstration(e.prompt, f"={e.target}") for e in task.examples(seed, n=n)]


def planted(task) -> tuple[list[Demonstration], list[Demonstration]]:
    dice = random.Random(0)
    good = material(task, "train", 70)
    bad = [Demonstration(e.prompt, f"{dice.randrange(10)}+") for e in task.examples("noise", n=30)]
    return good, bad


def test_planted_off_distribution_samples_rank_highest(tiny, largest):
    task = largest()
    (good, bad), valid = planted(task), material(task, "valid", 20)
    shifts = distribution_shift(mean_losses(tiny, good + bad), average(mean_losses(tiny, valid), valid))
    assert min(shifts[len(good) :]) > sorted(shifts[: len(good)])[-10]
    kept = least_shifted(good + bad, shifts, 0.7)
    assert sum(item.completion[1] == "+" for item in kept) <= 3


def test_leaving_them_out_gives_a_lower_held_out_loss(tiny, largest):
    task = largest()
    (good, bad), valid, unseen = planted(task), material(task, "valid", 20), material(task, "test", 60)
    shifts = distribution_shift(mean_losses(tiny, good + bad), average(mean_losses(tiny, valid), valid))
    start, losses = tiny.state(), []
    for items in (good + bad, least_shifted(good + bad, shifts, 0.7)):
        tiny.load_state(start)
        train(tiny, items, likelihood, lr=1e-2, epochs=2, tokens_per_batch=128)
        losses.append(average(mean_losses(tiny, unseen), unseen))
    assert losses[1] < losses[0] - 0.05


def test_kept_weight_is_the_share_to_the_last_part():
    items = [Demonstration((), "a", weight=4.0), Demonstration((), "b", weight=6.0)]
    kept = least_shifted(items, [2.0, 1.0], 0.8)
    assert [(item.completion, item.weight) for item in kept] == [("b", 6.0), ("a", 2.0)]


def test_the_loop_improves_and_says_what_it_left_out(tiny, largest, drive_on, accuracy):
    before = accuracy(tiny, temperature=1.0)
    settings = {"questions": 100, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 16}
    rounds = list(importance_weighting(tiny, largest(), drive_on(tiny), **settings))
    assert accuracy(tiny, temperature=1.0) > before + 0.1
    for done in rounds:
        assert done.metrics["shift/kept"].estimate < done.metrics["shift/left_out"].estimate


def test_a_validation_set_without_right_samples_says_so(tiny, largest, drive_on):
    task = largest()
    task.verify = lambda example, text: type("S", (), {"value": 0.0, "abstained": None})()
    with pytest.raises(TaskError, match="labelled questions"):
        next(importance_weighting(tiny, task, drive_on(tiny), questions=20, monitor=0))
