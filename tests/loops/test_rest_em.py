"""ReST-EM: restart from base, cap per problem, pass@k and the gap between training and unseen questions."""

from __future__ import annotations

import torch

from whetstone.loops import rest_em as module
from whetstone.loops.rest_em import rest_em

SETTINGS = {"questions": 100, "k": 8, "temperature": 1.0, "tokens_per_batch": 256, "monitor": 32}


def test_every_round_restarts_from_base_and_improves_on_it(tiny, largest, drive_on, accuracy, monkeypatch):
    base, before, started = tiny.state(), accuracy(tiny, temperature=1.0), []
    original = module.train

    def spy(model, *args, **options):
        started.append(model.state())
        return original(model, *args, **options)

    monkeypatch.setattr(module, "train", spy)
    rounds = list(rest_em(tiny, largest(), drive_on(tiny), rounds=2, **SETTINGS))
    assert 1 <= len(rounds) <= 2
    assert len(started) == len(rounds)
    assert all(torch.equal(state[name], base[name]) for state in started for name in base)
    assert accuracy(tiny, temperature=1.0) > before + 0.15
    gap = rounds[0].metrics["train_test_gap"]
    assert gap.interval[0] < gap.estimate < gap.interval[1]
    assert rounds[0].metrics["exploration"].n == 32


def test_gold_reward_never_keeps_a_wrong_sample(tiny, largest, drive_on):
    first = next(rest_em(tiny, largest(), drive_on(tiny), rounds=1, **SETTINGS))
    assert first.metrics["precision"].estimate == 1.0


def test_loop_ends_when_unseen_reward_no_longer_improves(tiny, largest, drive_on):
    rounds = list(rest_em(tiny, largest(), drive_on(tiny), rounds=6, lr=0.0, **SETTINGS))
    assert len(rounds) < 6


def test_label_free_reward_looks_at_no_gold(tiny, largest, drive_on):
    task = largest(blind=True)
    (only,) = rest_em(tiny, task, drive_on(tiny), rounds=1, filter="majority", audited=False, **SETTINGS)
    assert "gold" not in only.metrics
    assert "train_test_gap" in only.metrics
