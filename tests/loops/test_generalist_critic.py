"""One critic of grades and of pairs, as a judge and as a reward."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.core.flow import drive
from whetstone.core.types import Example, Generation, Media, Sampling, Signal, form, user
from whetstone.loops.generalist_critic import generalist_critic
from whetstone.models.grit import load_grit
from whetstone.models.scripted import ScriptedModel
from whetstone.tasks.load import load_task


def test_one_critic_learns_grades_and_pairs_and_teaches_a_policy(drive_on) -> None:
    model, task = load_grit(), load_task("ledger:levels=2-3")
    settings = {"protocols": "critique,pairwise", "questions": 400, "monitor": 40, "lr": 8e-3, "policy": 30}
    (only,) = generalist_critic(model, task, drive_on(model), **settings)
    found = only.metrics
    assert found["pairwise/before/swap_consistency"].estimate < 0.5, "the untrained one picks a place"
    assert found["pairwise/gain"].interval[0] > 0
    assert found["pairwise/both_orders"].estimate > found["pairwise/before/both_orders"].interval[1]
    assert found["critique/accuracy"].estimate > 0.9, "it still grades single answers"
    assert {"policy/before", "policy/critic", "policy/critic/gain", "policy/untrained/gain"} <= set(found)
    assert only.kept == 1600


class Pictures:
    """Two graded answers to a question about an image."""

    name, sampling = "pictures", Sampling(max_tokens=8)

    def examples(self, split, *, n=None, seed=0):
        image = Media("image", "image/png", b"x")
        for i in range(2):
            meta = {"candidates": ["a cat", "a dog"], "grades": [1, 5]}
            yield Example(f"{split}{i}", user(form("solve", "{question}", question="What is shown?"), image), meta=meta)

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


def test_images_of_the_question_are_shown_to_the_critic(reader) -> None:
    seen = []

    def answer(request):
        seen.append(request.prompt)
        return Generation("hm")

    model = reader(["hm"])
    rounds = generalist_critic(
        model, Pictures(), lambda name, flows: drive(flows, {"policy": ScriptedModel(answer)}), source="rows", monitor=2
    )
    (only,) = rounds
    assert only.alarms[0].guard == "stop_rule", "no critique that can be read is imitated"
    judged = [prompt for prompt in seen if prompt[0].text != "What is shown?"]
    assert judged
    with_image = [any(isinstance(part, Media) for part in prompt[0].parts) for prompt in judged]
    assert sum(with_image) >= len(with_image) / 2


def test_unknown_protocols_are_refused(reader, drive_on) -> None:
    model = reader(["hm"])
    for chosen in ({"protocols": "taste"}, {"protocols": "critique, taste"}, {"protocols": "critique", "policy": 3}):
        with pytest.raises(ConfigError, match=r"no protocol is called 'taste'|protocols are"):
            next(generalist_critic(model, Pictures(), drive_on(model), **chosen))
