"""Self-taught evaluators: pairs known by construction, balanced orders, and a better judge without any label."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from whetstone.core.errors import ConfigError, TaskError
from whetstone.core.flow import drive
from whetstone.core.types import Example, Generation, user
from whetstone.loops._judge_course import Course
from whetstone.loops._judge_data import demonstrations, kept
from whetstone.loops._judge_similar import asking, changed_ledger, similar_pairs
from whetstone.loops._judging import Judged, Judgment
from whetstone.loops._round import Turn
from whetstone.loops.self_taught_evaluator import self_taught_evaluator
from whetstone.models.scripted import ScriptedModel
from whetstone.tasks.load import load_task
from whetstone.worlds import ledger

SMALL = {
    "similar": "model",
    "source": "rows",
    "warm_up": 60,
    "questions": 40,
    "k": 6,
    "votes": 4,
    "temperature": 1.0,
    "monitor": 30,
    "lr": 1e-2,
    "tokens_per_batch": 256,
    "epochs": 4,
}


@pytest.fixture
def ledgers():
    return load_task("ledger:levels=3-4")


def pairs(task, answer, n: int = 6):
    examples = list(task.examples("train", n=n))
    turn = Turn(1, lambda name, flows: drive(flows, {"policy": ScriptedModel(answer)}))
    found = similar_pairs(Course(None, task), turn, examples, "world", Random(0))
    return examples, [item for pair in found for item in pair]


def solved(request):
    question = dict(dict(request.prompt[-1].parts[0].fields)["question"].fields)["ledger"]
    return Generation("".join(ledger.work(question[:2], ledger.entries(question))))


def test_a_changed_question_differs_in_the_number_of_one_entry(ledgers):
    for example in ledgers.examples("train", n=40):
        old, new = str(example.meta["question"]), str(changed_ledger(ledgers, example, Random(1)).meta["question"])
        differing = [a for a, b in zip(ledger.entries(old), ledger.entries(new), strict=True) if a != b]
        assert old[:2] == new[:2]
        assert len(differing) == 1
        assert ledger.answer_of(old) != ledger.answer_of(new)


def test_the_answer_to_the_question_is_the_better_one_in_both_orders(ledgers):
    examples, items = pairs(ledgers, solved)
    assert len(items) == 2 * len(examples)
    for item in items:
        better, worse = item.answers if item.truth == "A" else reversed(item.answers)
        assert ledgers.process(item.example, better).value == 1
        assert ledgers.process(item.example, worse).value == 0
    assert Counter(item.truth for item in items) == {"A": 6, "B": 6}


def test_equal_and_cut_off_answers_make_no_pair(ledgers):
    assert pairs(ledgers, lambda request: Generation("c-7=56"))[1] == []
    assert pairs(ledgers, lambda request: Generation("c-7=56", finish="length"))[1] == []


def test_kept_judgments_of_both_orders_weigh_the_same(ledgers):
    _, items = pairs(ledgers, solved)
    says = Generation("!A")
    rows = [Judged(item, (Judgment(says, "A"),)) for item in items] + [
        Judged(items[1], (Judgment(Generation("!B"), "B"),))
    ]
    data = demonstrations(kept(rows))
    weights = Counter()
    for item in data:
        weights[item.completion] += item.weight
    assert len(data) == 7
    assert weights["!A"] == pytest.approx(weights["!B"])


def test_other_tasks_need_the_model_to_change_the_question():
    with pytest.raises(TaskError, match="similar=model"):
        changed_ledger(load_task("strings"), Example("q", user("How many?")), Random(0))
    assert asking(Example("q", user("How many?")), "How few?").prompt[-1].text == "How few?"


def test_nothing_to_ask_is_said(novice, signs, drive_on):
    with pytest.raises(ConfigError, match="nothing to train on"):
        next(self_taught_evaluator(novice, signs(), drive_on(novice), warm_up=0, rounds=1))


def test_pairs_known_by_construction_make_a_better_judge(novice, signs, drive_on):
    first, second = self_taught_evaluator(novice, signs(), drive_on(novice), explained=True, **SMALL)
    assert first.metrics["gain"].interval[0] > 0
    assert second.metrics["accuracy"].estimate > 0.9
    assert second.metrics["majority/accuracy"].estimate > 0.9


def test_pairs_whose_answers_are_alike_in_kind_teach_nothing(novice, signs, drive_on, monkeypatch):
    """The better of two is drawn at random: the judge stays at chance."""
    module = "whetstone.loops.self_taught_evaluator.similar_pairs"

    def shuffled(course, turn, examples, similar, rng):
        other = {"A": "B", "B": "A"}
        return [
            pair if rng.random() < 0.5 else [replace(item, truth=other[item.truth]) for item in pair]
            for pair in similar_pairs(course, turn, examples, similar, rng)
        ]

    monkeypatch.setattr(module, shuffled)
    *_, last = self_taught_evaluator(novice, signs(), drive_on(novice), explained=True, **SMALL)
    assert last.metrics["accuracy"].interval[0] < 0.55
