"""Self-J: labels from a reference, soft targets, and a judge that needs no reference any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whetstone.core.types import TIE, Embedding, Example, Generation, Verdict, user
from whetstone.loops._judge_quality import Labelled, distilled, not_worse, predictions, reference_of, similar
from whetstone.loops._judging import Item, Judged, Judgment
from whetstone.loops._judging_items import Response
from whetstone.loops.self_j import self_j
from whetstone.signals.parsing import read_correctness
from whetstone.tasks.load import load_task

SMALL = {
    "questions": 60,
    "samples": 4,
    "heat": 1.3,
    "monitor": 30,
    "lr": 1e-2,
    "tokens_per_batch": 256,
    "epochs": 4,
    "weight": 1.0,
}


def judged(name: str, truth: str, *verdicts: str) -> Judged:
    question = Example(name[0], user("?"))
    item = Item(name, user(name), truth, ("N", "Y"), read_correctness, question)
    return Judged(item, tuple(Judgment(Generation(f"{v}{i}"), v) for i, v in enumerate(verdicts)))


def test_the_evaluation_is_how_likely_the_answer_is_not_worse():
    shown = ("answer", "reference")
    assert not_worse(Verdict(shown, TIE, {"answer": 0.2, TIE: 0.5, "reference": 0.3})) == pytest.approx(0.7)
    assert not_worse(Verdict(shown, "reference")) == 0
    assert not_worse(Verdict(shown, None, reason="unreadable")) is None


def test_similarity_is_of_the_answers_or_of_the_vectors():
    task = load_task("ledger:levels=2-2")
    example = next(task.examples("train", n=1))
    gold = reference_of(task, example)
    response = Response(example, gold, True, 1.0)
    assert task.process(example, gold).value == 1

    def run(flow, *replies):
        try:
            next(flow)
            flow.send(replies)
        except StopIteration as stop:
            return stop.value

    assert run(similar(task, response, gold, "answer")) == 1
    assert run(similar(task, replace(response, text="??"), gold, "answer")) == 0
    flow = similar(task, response, gold, "embedding")
    assert len(next(flow)) == 2
    with pytest.raises(StopIteration) as stop:
        flow.send([Embedding((1.0, 0.0)), Embedding((1.0, 1.0))])
    assert stop.value.value == pytest.approx(0.5**0.5)


def test_soft_labels_become_weights_of_both_verdicts():
    response = Response(Example("a", user("?")), "x", True, 1.0)
    letters = distilled([Labelled(response, 0.7)], [judged("a1", "Y")])
    assert [(i.completion, round(i.weight, 3)) for i in letters] == [("N", 0.3), ("Y", 0.7)]
    critiques = distilled([Labelled(response, 0.5)], [judged("a1", "Y", "Y", "Y", "N")])
    assert [(i.completion, i.weight) for i in critiques] == [("N2", 0.5), ("Y0", 0.25), ("Y1", 0.25)]


def test_declining_the_lowest_scores_and_taking_the_best_of_n():
    rows = [judged("a1", "Y", "Y"), judged("a2", "N", "N"), judged("b1", "N", "N"), judged("b2", "Y", "Y")]
    answers = [Response(row.item.example, "x", row.item.truth == "Y", float(row.item.truth == "Y")) for row in rows]
    found = predictions(rows, answers)
    assert found["coverage/1"].estimate == 0.5
    assert found["coverage/0.5"].estimate == 1.0
    assert (found["any_of_n"].estimate, found["best_of_n"].estimate) == (0.5, 1.0)
    assert found["quality/spearman"].estimate == pytest.approx(1.0)


def test_references_make_a_judge_that_needs_none_and_strange_ones_do_not(novice, signs, drive_on, monkeypatch):
    start = novice.state()
    (done,) = self_j(novice, signs(), drive_on(novice), **SMALL)
    assert done.metrics["auroc"].interval[0] > 0.6
    assert done.metrics["gain/auroc"].interval[0] > 0
    assert done.metrics["coverage/0.25"].estimate > done.metrics["coverage/1"].estimate
    assert done.metrics["best_of_n"].estimate >= done.metrics["any_of_n"].estimate
    novice.load_state(start)

    def strange(task, example):
        return str(example.meta["candidates"][int(example.id.split("-")[1]) % 2])

    monkeypatch.setattr("whetstone.loops._judge_quality.reference_of", strange)
    (done,) = self_j(novice, signs(), drive_on(novice), rival=False, **SMALL)
    assert done.metrics["gain/auroc"].interval[0] < 0.05
