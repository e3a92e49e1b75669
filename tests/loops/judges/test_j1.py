"""J1: traces that look again, rewards of each look, and slopes of accuracy against the number of looks."""

from __future__ import annotations

from random import Random

import pytest
import torch

from whetstone.core.errors import ConfigError
from whetstone.core.types import Example, Generation, Message, user
from whetstone.loops._judge_looks import WAIT, Looks, advantages, after, again, curve, reflections, slope_gain, slopes
from whetstone.loops._judging import Item, Judgment
from whetstone.loops.j1 import j1, policy_gradient
from whetstone.loops.objectives import Demonstration
from whetstone.signals.parsing import read_correctness


def looks(name: str, truth: str, *verdicts: str | None) -> Looks:
    item = Item(name, user("judge this"), truth, ("N", "Y"), read_correctness, Example(name, user("?")))
    prompts, prompt = [], item.prompt
    for verdict in verdicts:
        prompts.append(prompt)
        prompt = again(prompt, f"a:!{verdict}")
    judgments = [Judgment(Generation(f"a:!{verdict}"), verdict) for verdict in verdicts]
    return Looks(item, tuple(prompts), tuple(judgments))


def test_another_look_goes_on_behind_wait():
    prompt = again(user("judge"), "a:!N")
    assert prompt == (*user("judge"), Message("assistant", ("a:!NC",)))
    assert after(again(prompt, "a:!Y")) == "a:!NCa:!YC"
    assert after(again(user("judge"), "It is wrong. Verdict: N")).endswith(WAIT)
    assert looks("i", "Y", "N", "Y").trace == "a:!NCa:!Y"


def test_the_last_verdict_that_could_be_read_counts():
    row = looks("i", "Y", "N", "Y", None)
    assert [row.right(i) for i in range(3)] == [0, 1, 1]


def test_traces_that_mend_a_wrong_look_are_kept_before_others():
    rows = [looks("i", "Y", "Y", "Y"), looks("i", "Y", "N", "Y"), looks("j", "N", "N", "Y"), looks("k", "N", "N", "N")]
    kept = {item.completion: item.weight for item in reflections(rows, Random(0), 0.0)}
    assert kept == {"a:!NCa:!Y": 1.5, "a:!N": 0.75, "a:!NCa:!N": 0.75}
    assert reflections([rows[3]], Random(0), 1.0)[0].completion == "a:!N"


def test_a_look_is_rewarded_against_others_at_its_place():
    rows = [looks("i", "Y", "N", "Y"), looks("i", "Y", "Y", "Y"), looks("i", "Y", "N", "N")]
    found = [(after(d.prompt), d.completion, round(d.weight, 3), d.label) for d in advantages(rows)]
    assert ("", "a:!Y", 0.667, 1.0) in found
    assert found.count(("", "a:!N", 0.333, 0.0)) == 2
    assert ("a:!NC", "a:!N", 0.667, 0.0) in found
    assert len(advantages([looks("i", "Y", "Y"), looks("i", "Y", "Y")])) == 0


def test_slopes_by_hand():
    rising, flat = [looks("i", "Y", "N", "Y", "Y")], [looks("i", "Y", "N", "N", "N")]
    assert slopes(rising, 3) == {"i": 0.5}
    assert slopes(flat, 3) == {"i": 0.0}
    assert slope_gain(rising, slopes(flat, 3), 3).estimate == 0.5
    assert [curve(rising, 3)[f"looks/{i}"].estimate for i in (1, 2, 3)] == [0.0, 1.0, 1.0]


def test_the_policy_gradient_raises_what_was_rewarded_and_lowers_the_rest():
    class Fixed:
        def logprobs(self, items):
            self.values = torch.tensor([[-1.0, -1.0], [-1.0, -1.0]], requires_grad=True)
            return self.values, torch.ones(2, 2)

    model = Fixed()
    good, bad = Demonstration((), "a", 1.0, 1.0), Demonstration((), "b", 3.0, 0.0)
    policy_gradient(model, [good, bad]).backward()
    assert model.values.grad.tolist() == [[-0.125, -0.125], [0.375, 0.375]]


def test_there_must_be_a_further_look(novice, signs, drive_on):
    for options in ({"looks": 0}, {"budget": 1}):
        with pytest.raises(ConfigError, match="looks is 1 or more"):
            next(j1(novice, signs(), drive_on(novice), **options))


def test_both_phases_make_a_better_judge_and_shuffled_labels_do_not(novice, signs, drive_on):
    settings = {"source": "rows", "temperature": 1.0, "monitor": 30, "tokens_per_batch": 256, "protocol": "critique"}
    start = novice.state()
    loop = dict(questions=40, k=4, budget=2, steps=3, batch=30, lr=1e-2, rl_lr=3e-3, rehearse=0.2, **settings)
    first, second = j1(novice, signs(), drive_on(novice), **loop)
    assert second.metrics["accuracy"].estimate > 0.8
    assert second.metrics["gain"].p < 0.01
    assert second.metrics["looks/1"].estimate > first.metrics["before/looks/1"].estimate + 0.1
    novice.load_state(start)
    *_, shuffled = j1(novice, signs(labels="shuffled"), drive_on(novice), **loop)
    assert shuffled.metrics["accuracy"].interval[0] < 0.55
