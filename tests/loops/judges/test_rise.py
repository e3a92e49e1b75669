"""RISE: what the two stages keep, what they make of a judge, and what that judge does to a policy."""

from __future__ import annotations

from random import Random

from whetstone.core.flow import drive
from whetstone.core.types import Generation
from whetstone.loops._judge_data import agreed_in_both_orders, joined
from whetstone.loops._judge_traces import from_critiques
from whetstone.loops._judging_items import from_row, pairwise
from whetstone.loops.rise import rise
from whetstone.models.scripted import ScriptedModel

SMALL = {
    "source": "rows",
    "warm_up": 60,
    "questions": 40,
    "k": 6,
    "temperature": 1.0,
    "monitor": 30,
    "lr": 1e-2,
    "dpo_lr": 5e-3,
    "tokens_per_batch": 256,
    "epochs": 4,
}


def pairs(signs, n: int):
    task = signs()
    return pairwise([r for e in task.examples("train", n=n) for r in from_row(task, e, Random(0))])


def test_both_orders_must_be_judged_right(signs, said):
    items = pairs(signs, 2)
    rows = [said(items[0], "A"), said(items[1], "B"), said(items[2], "A"), said(items[3], "A")]
    assert [row.item.id for row in agreed_in_both_orders(rows)] == [items[0].id, items[1].id]


def test_judgments_are_put_together_from_critiques(signs):
    def critic(request):
        answer = dict(request.prompt[-1].parts[0].fields)["answer"]
        return Generation("a:!Y" if "+" in answer else "a;N")

    first, second = from_critiques(
        lambda name, flows: drive(flows, {"policy": ScriptedModel(critic)}), "t", pairs(signs, 1), max_tokens=9
    )
    assert [j.text for row in (first, second) for j in row.judgments] == ["a:!Y|a;N!A", "a;N|a:!Y!B"]
    assert first.right == second.right == 1
    assert joined("It holds.", "It fails.", "A").endswith("Verdict: A")


def test_both_stages_make_a_better_judge_and_shuffled_labels_do_not(novice, signs, drive_on):
    start = novice.state()
    _, true = rise(novice, signs(), drive_on(novice), **SMALL)
    novice.load_state(start)
    last = list(rise(novice, signs(labels="shuffled"), drive_on(novice), **SMALL))[-1]
    assert true.metrics["accuracy"].estimate > 0.95
    assert true.metrics["swap_consistency"].estimate > 0.9
    assert true.metrics["gain"].interval[0] > 0.2
    assert "accuracy" not in last.metrics or last.metrics["accuracy"].interval[0] < 0.55


def test_a_better_judge_teaches_a_policy_more_than_an_untrained_one(novice, signs, drive_on):
    settings = {**SMALL, "policy": 80, "monitor": 40}
    _, done = rise(novice, signs(), drive_on(novice), **settings)
    found = done.metrics
    assert found["policy/rise/precision"].estimate > 0.8
    assert found["policy/rise/gain"].interval[0] > 0
    assert found["policy/rise"].estimate > found["policy/untrained"].estimate
