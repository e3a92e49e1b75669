"""A judge of aspects: two letters of an answer stand for its two aspects."""

from __future__ import annotations

import re
from random import Random

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import drive
from whetstone.core.types import Candidate, Example, Generation, Media, Sampling, Signal, form, user
from whetstone.loops.aspect_evaluator import aspect_evaluator, lessons_of
from whetstone.signals.aspect_judge import COMPARE, aspect_judge, by_aspect

TREE = {"style": {"wit": "Is it witty?", "calm": "Is it calm?"}, "truth": "Is it true?"}
GOOD = {"style/wit": ("sharp", "dull"), "style/calm": ("still", "loud"), "truth": ("true", "false")}
FILLER = ("one", "two", "three", "four")
WORDS = (
    *re.findall(r"\w+|[^\w\s]", COMPARE + " ".join(str(TREE))),
    *("style", "wit", "witty", "calm", "truth", "Say", "Is", "it"),
    *(word for pair in GOOD.values() for word in pair),
    *FILLER,
)


class Aspects:
    """Answers of three words in any order, one an aspect; with `dice` the labels are drawn."""

    name, sampling = "aspects", Sampling(max_tokens=16)

    def __init__(self, *, dice: bool = False) -> None:
        self.dice = dice

    def examples(self, split, *, n=None, seed=0):
        for i in range(n or 500):
            rng = Random(f"{split}/{i}")
            sides = [{path: rng.random() < 0.5 for path in GOOD} for _ in range(2)]
            texts = []
            for side in sides:
                words = [GOOD[path][not good] for path, good in side.items()]
                rng.shuffle(words)
                texts.append(" ".join([rng.choice(FILLER), *words]))
            labels, reasons = {}, {}
            for path in GOOD:
                one, two = (side[path] for side in sides)
                label = "tie" if one == two else "first" if one else "second"
                labels[path] = rng.choice(("first", "second", "tie")) if self.dice else label
                reasons[path] = " ".join(GOOD[path][not good] for good in (one, two))
            meta = {"candidates": texts, "aspects": TREE, "aspect_labels": labels, "aspect_reasons": reasons}
            yield Example(f"{split}-{i}", user(form("solve", "{question}", question="Say")), meta=meta)

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


def test_agreement_rises_aspect_by_aspect_and_drives_the_judge(reader, drive_on) -> None:
    model = reader(WORDS)
    rounds = list(aspect_evaluator(model, Aspects(), drive_on(model), rounds=1, pairs=1000, monitor=40, max_tokens=10))
    last = rounds[-1].metrics
    assert rounds[0].metrics["before/accuracy"].estimate < 0.1
    for path in ("style/wit", "style/calm", "truth", "style"):
        assert last[f"agreement/{path}"].interval[0] > 1 / 2, path
    assert last["gain"].estimate > 0.5
    first, second = Candidate("a", Generation("one sharp loud true")), Candidate("b", Generation("two dull still true"))
    example = Example("e", user(form("solve", "{question}", question="Say")), meta={"aspects": TREE})
    flow = aspect_judge(Aspects(), example, first, second, max_tokens=10)
    parts = by_aspect(drive({"x": flow}, {"policy": model}).results["x"])
    assert (parts["style/wit"].choice, parts["style/calm"].choice) == ("a", "b"), "the trained model is the judge"


def test_dice_teach_no_aspect(reader, drive_on) -> None:
    model = reader(WORDS)
    task = Aspects(dice=True)
    (only,) = aspect_evaluator(model, task, drive_on(model), rounds=1, pairs=150, monitor=60, max_tokens=10)
    assert only.metrics["accuracy"].interval[0] < 0.4


def test_an_aspect_that_there_is_not_is_refused(reader, drive_on) -> None:
    model = reader(WORDS)
    with pytest.raises(ConfigError, match=r"no aspect is called 'whit'; there are .*"):
        next(aspect_evaluator(model, Aspects(), drive_on(model), unseen="truth, whit"))


def test_pairs_are_asked_in_every_aspect_and_order_and_show_their_images() -> None:
    image = Media("image", "image/png", b"x")
    meta = {"candidates": ["a", "b"], "aspects": TREE, "aspect_labels": {"truth": "first", "Style/Wit": "tie"}}
    example = Example("e", user(form("solve", "{question}", question="What is shown?"), image), meta=meta)
    lessons = lessons_of(example)
    assert [(lesson.dataset, lesson.item.truth) for lesson in lessons] == [
        *(("truth", "A"), ("truth", "B"), ("style/wit", "E"), ("style/wit", "E")),
    ]
    assert all(lesson.item.prompt[0].parts[-1] == image for lesson in lessons)
    assert lessons[0].item.pair == lessons[1].item.pair
    with pytest.raises(TaskError, match="no label"):
        lessons_of(Example("e", user("x"), meta={**meta, "aspect_labels": {"taste": "first"}}))
    with pytest.raises(TaskError, match="needs two"):
        lessons_of(Example("e", user("x"), meta={"candidates": ["a"]}))
