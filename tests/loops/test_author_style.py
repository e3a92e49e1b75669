"""A style token: two authors report the same findings in words of their own."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.core.errors import TaskError
from whetstone.core.types import Example, Sampling, Signal, user
from whetstone.loops._author import in_style
from whetstone.loops.author_style import author_style
from whetstone.tasks.load import load_task

PARTS = ("liver", "lung", "bone", "node")
GRADES = ("hot", "cold")
STYLES = {"Ann": {"hot": "avid uptake in", "cold": "no uptake in"}, "Bob": {"hot": "positive", "cold": "negative"}}
WORDS = (*PARTS, *GRADES, *STYLES, "Author", ":", ".", "avid", "uptake", "in", "no", "positive", "negative")


class Reports:
    """Findings to impressions; without `styles` both authors write alike."""

    name, sampling = "reports", Sampling(max_tokens=8)

    def __init__(self, *, styles: bool = True) -> None:
        self.styles = styles

    def examples(self, split, *, n=None, seed=0):
        for i in range(n or 300):
            rng = Random(f"{split}/{i}")
            part, grade, author = rng.choice(PARTS), rng.choice(GRADES), rng.choice(list(STYLES))
            words = STYLES[author if self.styles else "Ann"][grade]
            yield Example(f"{split}-{i}", user(f"{part} {grade}"), f"{words} {part}", meta={"author": author})

    def verify(self, example, text):
        return Signal(None, "binary", abstained="none")

    read = process = complete = verify


def test_the_token_brings_the_author_s_style_where_there_is_one(reader, drive_on) -> None:
    settings = {"texts": 2400, "monitor": 60, "max_tokens": 8, "tokens_per_batch": 256}
    model = reader(WORDS)
    (only,) = author_style(model, Reports(), drive_on(model), **settings)
    assert only.metrics["rouge_l/own"].estimate > 0.9
    assert only.metrics["rouge_l/own"].estimate > only.metrics["before/rouge_l/own"].estimate + 0.5
    for arm in ("other", "none"):
        assert only.metrics[f"gain/{arm}"].estimate > 0.1
        assert only.metrics[f"gain/{arm}"].p < 0.001
        assert only.metrics[f"gain/{arm}"].verdict == "the token brings the author's style"
    model = reader(WORDS)
    (alike,) = author_style(model, Reports(styles=False), drive_on(model), **settings)
    assert alike.metrics["gain/other"].verdict == "the token changes nothing, as far as seen"
    assert alike.metrics["rouge_l/own"].estimate > 0.9


def test_says_what_is_missing(reader, drive_on) -> None:
    model = reader(WORDS)
    with pytest.raises(TaskError, match="no metric is called 'taste'"):
        next(author_style(model, Reports(), drive_on(model), metric="taste", monitor=4))

    class Alone(Reports):
        def examples(self, split, *, n=None, seed=0):
            yield Example(split, user("liver"), "no", meta={"author": "Ann"} if split == "train" else {})

    with pytest.raises(TaskError, match="dev: needs the columns"):
        next(author_style(model, Alone(), drive_on(model)))
    with pytest.raises(TaskError, match="needs the columns"):
        next(author_style(model, load_task("ledger:levels=2"), drive_on(model)))
    assert in_style(user("liver hot"), "Author: Ann.")[0].text == "Author: Ann.\nliver hot"
    assert in_style(user("liver hot"), "") == user("liver hot")
