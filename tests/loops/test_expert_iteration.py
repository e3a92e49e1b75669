"""Expert iteration really improves a real model, without gold labels, and says so in its rounds."""

from __future__ import annotations

import pytest

from whetstone.core.errors import ConfigError
from whetstone.loops.acceptance_rate import acceptance_rate
from whetstone.loops.expert_iteration import expert_iteration
from whetstone.loops.proxy_gold_gap import proxy_gold_gap

SETTINGS = {"rounds": 2, "questions": 100, "k": 8, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 32}


def test_majority_improves_without_looking_at_gold(tiny, largest, drive_on, accuracy):
    before = accuracy(tiny, temperature=1.0)
    rounds = list(expert_iteration(tiny, largest(blind=True), drive_on(tiny), **SETTINGS))
    assert len(rounds) == 2
    assert accuracy(tiny, temperature=1.0) > before + 0.15
    assert rounds[0].snapshot != rounds[1].snapshot
    assert rounds[-1].metrics["agreement"].estimate > rounds[0].metrics["before/agreement"].estimate
    assert all(r.tokens > 0 and r.seconds > 0 and 0 < r.kept < r.seen for r in rounds)


def test_stop_rule_ends_a_loop_that_cannot_label_anything(tiny, largest, drive_on):
    before = tiny.fingerprint
    rounds = list(expert_iteration(tiny, largest(), drive_on(tiny), **SETTINGS, floor=1.1))
    assert len(rounds) == 1
    assert rounds[0].kept == 0
    assert rounds[0].alarms[0].guard == "stop_rule"
    assert rounds[0].alarms[0].stop
    assert tiny.fingerprint == before


def test_same_seed_same_weights_and_other_seed_others(tiny, largest, drive_on):
    start, found = tiny.state(), []
    for seed in (0, 0, 1):
        tiny.load_state(start)
        list(expert_iteration(tiny, largest(), drive_on(tiny), **{**SETTINGS, "rounds": 1}, seed=seed))
        found.append(tiny.fingerprint)
    assert found[0] == found[1] != found[2]


def test_gold_filter_and_audit_report_precision(tiny, largest, drive_on):
    settings = {**SETTINGS, "rounds": 1}
    (gold,) = expert_iteration(tiny, largest(), drive_on(tiny), **settings, filter="gold", audited=True)
    assert gold.metrics["precision"].estimate == 1.0
    assert gold.metrics["gold"].estimate > gold.metrics["before/gold"].estimate
    assert gold.metrics["gap"].estimate == 0.0
    bins = gold.metrics["precision"].detail["by_vote_share"]
    assert sum(n for _, _, n, _ in bins) == gold.metrics["precision"].n


def test_believing_everything_is_seen_by_the_guards(tiny, largest, drive_on):
    """`answer_length` is above 0.5 for every answer."""
    settings = {**SETTINGS, "rounds": 1, "filter": "signal", "signal": "answer_length"}
    rounds = list(expert_iteration(tiny, largest(), drive_on(tiny), **settings, audited=True))
    assert proxy_gold_gap(rounds).stop
    assert acceptance_rate(rounds).stop
    honest = list(expert_iteration(tiny, largest(), drive_on(tiny), **{**SETTINGS, "rounds": 1}, audited=True))
    assert proxy_gold_gap(honest) is None
    assert acceptance_rate(honest) is None


def test_raft_keeps_the_top_share_of_the_batch(tiny, largest, drive_on):
    preset = {"filter": "top", "signal": "mean_logprob", "share": 0.2, "replay": 0.0, "floor": 0.0}
    (only,) = expert_iteration(tiny, largest(blind=True), drive_on(tiny), **{**SETTINGS, "rounds": 1}, **preset)
    assert only.seen == 800
    assert only.kept == 160


def test_a_filter_without_its_signal_is_refused(tiny, largest, drive_on):
    with pytest.raises(ConfigError, match="needs a signal"):
        next(expert_iteration(tiny, largest(), drive_on(tiny), filter="signal"))
