"""A judge of many data sets: conversion, and mixtures chosen by tail patches."""

from __future__ import annotations

import math
from random import Random

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.types import Example, Media, user
from whetstone.loops._lessons import lesson_of, read_label, read_open
from whetstone.loops._mixture import rated, saving
from whetstone.loops.judge_mixture import judge_mixture
from whetstone.loops.judgments import judgments, standard_rows

LETTERS = "abcdefghijkl"
TEMPLATE = (
    "Task pairs flipped grades labels : Question Answer A B Which is better or E equal ? Score it from 1 to 5 . , "
)
WORDS = (*LETTERS, *TEMPLATE.split(), "Verdict", "label", "fits", "few", "many", *"12345", "+", "-")


SAME = {"flipped": "Task: pairs.", "pairs": "Task: pairs."}


def material(n: int, seed: int):
    """The better answer has the letter of the question. `flipped` says the opposite of `pairs`, half as often."""
    files = {"pairs": [], "flipped": [], "grades": [], "labels": []}
    for i in range(n):
        rng = Random(f"{seed}/{i}")
        wanted, *others = rng.sample(LETTERS, 8)
        good, bad = [wanted, *others[:3]], others[3:7]
        rng.shuffle(good)
        first, second = (good, bad) if rng.random() < 0.5 else (bad, good)
        tags = [[f"{letter} {'+' if letter == wanted else '-'}" for letter in side] for side in (first, second)]
        reason, both = " ".join(tags[0]), " ".join(tags[0] + tags[1])
        shown = {"instruction": wanted, "explanation": both, "first": " ".join(first), "second": " ".join(second)}
        files["pairs"].append({**shown, "winner": "model_a" if first is good else "model_b"})
        if i % 2:
            files["flipped"].append({**shown, "preference": 2 if first is good else 1})
        files["grades"].append(
            {"prompt": wanted, "response": shown["first"], "score": 5 if first is good else 1, "reason": reason}
        )
        label = "many" if first is good else "few"
        files["labels"].append({"query": wanted, "text": shown["first"], "label": label, "reason": reason})
    return files


def test_judgment_files_of_many_shapes_become_one_text_to_text_task() -> None:
    rows = standard_rows([{"prompt": "q", "chosen": "x {y}", "rejected": "z"}], dataset="rm", task="T.")
    assert [row["target"] for row in rows] == ["Verdict: A", "Verdict: B"], "both orders"
    assert "Answer A: x {y}\n" in rows[0]["input"]
    assert "Answer B: x {y}\n" in rows[1]["input"]
    assert rows[0]["pair"] == rows[1]["pair"] == "rm/1"
    (graded,) = standard_rows([{"question": "q", "output": "a", "rating": 7, "reason": "Good."}], dataset="g", task="")
    assert (graded["target"], graded["high"], graded["kind"]) == ("Good.\nScore: 7", 7, "pointwise")
    kinds = [{"text": "a", "label": "grounded"}, {"text": "b", "label": "made up"}]
    assert standard_rows(kinds, dataset="c", task="")[0]["labels"] == ["grounded", "made up"]
    tie = {"instruction": "q", "output_1": "a", "output_2": "b", "winner": "tie"}
    assert [row["target"] for row in standard_rows([tie], dataset="t", task="")] == ["Verdict: E"] * 2
    for bad in ({"prompt": "q"}, {"first": "a", "second": "b", "winner": "neither"}):
        with pytest.raises(TaskError, match="x, row 1"):
            standard_rows([bad], dataset="x", task="")
    for grade in (math.nan, math.inf):
        rows = [{"prompt": "q", "response": "a", "score": 3}, {"prompt": "q", "response": "a", "score": grade}]
        with pytest.raises(TaskError, match=f"x, row 2: score is {grade}"):
            standard_rows(rows, dataset="x", task="")


def test_lessons_read_their_own_targets() -> None:
    task = judgments(material(40, 0))
    splits = [{e.id for e in task.examples(s)} for s in ("train", "dev", "test")]
    assert all(splits)
    assert sum(map(len, splits)) == 40 * 3 + 20 == len(set.union(*splits))
    for example in task.examples("train"):
        lesson = lesson_of(example)
        assert task.verify(example, lesson.reply).value == 1
        assert task.verify(example, "hm").value == 0
    open_item = lesson_of(Example("e", user("which?"), "Answer: Go  North", meta={"kind": "open"})).item
    assert open_item.truth == "go north"
    assert read_open("Answer: a\nanswer: b c").value == "b c"
    assert read_label("neutral, no: not neutral", ["neutral", "not neutral"]).value == "not neutral"
    image = Media("image", "image/png", b"x")
    shown = lesson_of(Example("e", user("better?", image), "Verdict: A", meta={"kind": "pairwise"})).item
    assert shown.prompt[0].parts[-1] == image
    with pytest.raises(TaskError, match="no verdict"):
        lesson_of(Example("e", user("better?"), "perhaps"))
    for high in ("ten", 10**12, 4.5, "9" * 5000):
        graded = Example("e", user("how good?"), "Score: 4", meta={"kind": "pointwise", "high": high})
        with pytest.raises(
            TaskError, match=r"^e: high is '.{1,42}'; it must be a whole number of at most three digits$"
        ):
            lesson_of(graded)
    to_ten = Example("e", user("how good?"), "Score: 9", meta={"kind": "pointwise", "low": "0", "high": 10.0})
    assert lesson_of(to_ten).item.values == tuple(map(str, range(11)))


def test_tail_patches_leave_out_what_harms_and_save_data(reader, drive_on) -> None:
    model, task = reader(WORDS), judgments(material(800, 1), tasks=SAME)
    settings = {"target": "pairs", "unseen": "labels", "warm": 5000, "patch": 600, "lessons": 2000, "checks": 4}
    rounds = list(judge_mixture(model, task, drive_on(model), **settings, monitor=120, max_tokens=24))
    patches, last = rounds[1].metrics, rounds[2].metrics
    assert patches["patch/flipped"].verdict == "harmful"
    assert patches["patch/pairs"].estimate > patches["patch/flipped"].estimate
    assert patches["share/flipped"].estimate == 0
    assert "share/labels" not in patches, "what is held out is not trained on"
    assert last["accuracy/pairs"].estimate > 0.75
    assert last["gain"].interval[0] > 0
    assert last["gain/proportional"].estimate > 0
    assert last["data_saving"].estimate >= 1
    assert "accuracy/labels" in last


def test_ratings_and_saving_by_hand(drive_on, reader) -> None:
    from whetstone.core.types import Finding

    told = [rated(Finding("x", e, i, 9)) for e, i in ((0.2, (0.1, 0.3)), (0.05, (-0.1, 0.2)), (-0.2, (-0.3, -0.1)))]
    assert told == ["helpful", "somewhat helpful", "harmful"]
    assert rated(Finding("x", 0.0, (-0.1, 0.1), 9)) == "no clear effect"
    assert saving([0.5, 0.8], [0.6, 0.7, 0.7, 0.75], 10).estimate == 4 / 2
    assert saving([0.5, 0.6], [0.6, 0.7], 10).estimate is None
    one = judgments({"only": [{"prompt": str(i), "response": "a", "score": 1} for i in range(30)]})
    with pytest.raises(TaskError, match="1 data sets"):
        next(judge_mixture(reader(WORDS), one, drive_on(reader(WORDS))))


def test_what_cannot_be_mixed_or_measured_is_said(drive_on, reader) -> None:
    model, task = reader(WORDS), judgments(material(40, 0))
    for options, why in (
        ({"unseen": "labels, lables"}, "no data set is called 'lables'; there are .*labels"),
        ({"target": "pears"}, "no data set is called 'pears'"),
        ({"checks": 0}, "checks is 0"),
    ):
        with pytest.raises(ConfigError, match=why):
            next(judge_mixture(model, task, drive_on(model), **options))
    with pytest.raises(TaskError, match="one held-out item is too few"):
        next(judge_mixture(model, task, drive_on(model), monitor=1))
