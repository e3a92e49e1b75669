"""The loops on the transformers backend: the seam holds, and a phase of training is what it says."""

from __future__ import annotations

from random import Random

import pytest

from whetstone.core.types import form, user
from whetstone.loops._train import log_likelihoods, train, with_reference
from whetstone.loops.expert_iteration import expert_iteration
from whetstone.loops.objectives import Demonstration, Preference, likelihood, preference
from whetstone.models.grit.dialect import GritDialect, build_tokenizer
from whetstone.models.grit.network import build_network, optimizer
from whetstone.models.transformers import TransformersModel
from whetstone.tasks.load import load_task
from whetstone.worlds import ledger


@pytest.fixture
def model() -> TransformersModel:
    """grit's network, untrained."""
    network = build_network(seed=0, hidden=32, layers=2, heads=2, inner=64)
    return TransformersModel.of(
        network, build_tokenizer(), dialect=GritDialect(), optimizer=optimizer, learning_rate=1e-2, name="untrained"
    )


def solutions(n: int) -> list[Demonstration]:
    rng, items = Random(0), []
    for _ in range(n):
        question = ledger.generate(rng, rng.randrange(1, 4))
        prompt = user(form("solve", "{question}", question=form("ledger", "{ledger}", ledger=question)))
        items.append(Demonstration(prompt, "".join(ledger.work(question[:2], ledger.entries(question)))))
    return items


def test_training_lowers_the_loss_of_the_same_items(model):
    items = solutions(150)
    texts = [(item.prompt, item.completion) for item in items]
    before = sum(total for total, _ in log_likelihoods(model, texts))
    first = model.fingerprint
    log = train(model, items, likelihood, lr=1e-2, epochs=2, tokens_per_batch=512)
    assert sum(total for total, _ in log_likelihoods(model, texts)) > 0.9 * before
    assert log.losses[-1] < log.losses[0]
    assert model.fingerprint != first


def test_preference_training_widens_the_margin(model):
    items = solutions(60)
    pairs = with_reference(model, [Preference(i.prompt, i.completion, i.completion[:-2] + "00") for i in items])
    train(model, pairs, preference(beta=0.3), lr=3e-3, tokens_per_batch=1024)
    after = with_reference(model, pairs)
    margins = [
        (a.reference[0] - a.reference[1]) - (p.reference[0] - p.reference[1]) for a, p in zip(after, pairs, strict=True)
    ]
    assert sum(margins) / len(margins) > 0.5


def test_a_raw_model_trips_the_stop_rule_and_is_left_alone(model, drive_on):
    before = model.fingerprint
    (only,) = expert_iteration(model, load_task("ledger:levels=3-4"), drive_on(model), questions=16, k=2, monitor=4)
    assert only.alarms[0].guard == "stop_rule"
    assert model.fingerprint == before
