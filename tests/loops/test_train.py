"""The training phase: batches, weights, determinism, and stopping before harm."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
import torch

from whetstone.core.errors import ConfigError, ModelError
from whetstone.core.types import user
from whetstone.loops._round import Turn, imitated
from whetstone.loops._train import batches, log_likelihoods, train
from whetstone.loops.objectives import Demonstration, Preference, likelihood


def items(n: int = 60, seed: int = 0) -> list[Demonstration]:
    rng = Random(seed)
    digits = [[rng.randrange(10) for _ in range(rng.choice((2, 3)))] for _ in range(n)]
    return [Demonstration(user("+".join(map(str, row))), f"={max(row)}") for row in digits]


def test_batches_hold_the_token_budget_and_every_item_once():
    rng = Random(1)
    rows = [Demonstration(user("1" * rng.randrange(1, 30)), "=1") for _ in range(200)]
    lengths = [[len(row.prompt[0].text) + 3] for row in rows]
    found = list(batches(rows, lengths, 100, Random(0)))
    assert sorted(id(item) for batch in found for item in batch) == sorted(map(id, rows))
    assert all(len(b) * max(len(i.prompt[0].text) + 3 for i in b) <= 100 for b in found)
    order = [max(len(i.prompt[0].text) for i in b) for b in found]
    assert order != sorted(order), "batches come in random order"


def test_batches_do_not_mix_kinds_and_count_both_texts_of_a_pair():
    pair = Preference(user("1+2"), "=2", "=1")
    rows = [*items(10), *[pair] * 10]
    lengths = [[6] * len(row.sequences) for row in rows]
    for batch in batches(rows, lengths, 60, Random(0)):
        assert len({type(item) for item in batch}) == 1
        assert len(batch) <= (10 if isinstance(batch[0], Demonstration) else 5)


def test_a_long_item_gets_a_batch_of_its_own(tiny):
    log = train(tiny, [*items(8), Demonstration(user("1"), "=" * 40)], likelihood, lr=1e-3, tokens_per_batch=30)
    assert log.steps >= 3


def test_same_seed_same_weights(tiny):
    start, found = tiny.state(), []
    for seed in (3, 3, 4):
        tiny.load_state(start)
        train(tiny, items(), likelihood, lr=1e-3, epochs=2, tokens_per_batch=64, seed=seed)
        found.append(tiny.fingerprint)
    assert found[0] == found[1] != found[2]


def test_training_lowers_the_loss_and_tells_the_model(tiny):
    before, data = tiny.changes, items()
    log = train(tiny, data, likelihood, lr=1e-2, epochs=8, tokens_per_batch=128)
    assert tiny.changes == before + 1
    assert sum(log.losses[-5:]) < 0.8 * sum(log.losses[:5])
    assert log.tokens == 8 * sum(tiny.encode_length(i.prompt, i.completion) for i in data)


def test_weights_mean_the_same_across_batches(tiny):
    """One batch an item: light items move the weights less than heavy ones, as they would in one batch."""
    light, heavy = items(2)
    start, moved = tiny.state(), []
    for weights in ((1e-9, 1.0), (1.0, 1e-9)):
        tiny.load_state(start)
        texts = [(light.prompt, light.completion), (heavy.prompt, heavy.completion)]
        first = log_likelihoods(tiny, texts)
        tiny.optimizer = lambda *, lr, weight_decay=0.0: torch.optim.SGD(tiny.parameters(), lr=lr)
        chosen = [replace(light, weight=weights[0]), replace(heavy, weight=weights[1])]
        train(tiny, chosen, likelihood, lr=0.05, tokens_per_batch=1)
        moved.append([after[0] - was[0] for after, was in zip(log_likelihoods(tiny, texts), first, strict=True)])
    assert moved[0][1] > moved[0][0]
    assert moved[1][0] > moved[1][1]


def test_weightless_items_are_left_out(tiny):
    before = tiny.fingerprint
    log = train(tiny, [replace(item, weight=0.0) for item in items()], likelihood, lr=1e-2)
    assert (log.steps, log.tokens, tiny.fingerprint) == (0, 0, before)


@pytest.mark.parametrize("bad", [{"weight": -1.0}, {"label": 1.5}])
def test_impossible_weights_are_refused(tiny, bad):
    with pytest.raises(ConfigError, match="weight"):
        train(tiny, [replace(items()[0], **bad)], likelihood, lr=1e-2)


def test_divergence_stops_before_the_weights_are_spoilt(tiny):
    def broken(model, batch):
        return likelihood(model, batch) * float("nan")

    with pytest.raises(ModelError, match="diverged at step 1"):
        train(tiny, items(), broken, lr=1e-2)
    assert all(torch.isfinite(tensor).all() for tensor in tiny.state().values())


def test_log_likelihoods_do_not_depend_on_the_batch(tiny):
    texts = [(item.prompt, item.completion) for item in items(30)]
    alone = [log_likelihoods(tiny, [text])[0] for text in texts]
    together = log_likelihoods(tiny, texts, tokens_per_batch=64)
    assert [n for _, n in alone] == [n for _, n in together] == [3] * 30
    assert [v for v, _ in together] == pytest.approx([v for v, _ in alone], abs=1e-4)


def test_every_round_of_imitation_begins_at_a_lower_rate(tiny):
    start = tiny.state()
    for index, lr, rate in ((1, 4e-3, 4e-3), (4, 4e-3, 1e-3), (1, None, tiny.learning_rate), (2, 0.0, 0.0)):
        tiny.load_state(start)
        metrics = imitated(tiny, items(), Turn(index, None), Random(5), rounds=4, lr=lr, tokens_per_batch=64)
        found = tiny.fingerprint
        tiny.load_state(start)
        log = train(tiny, items(), likelihood, lr=rate, tokens_per_batch=64, seed=Random(5).randrange(2**31))
        assert found == tiny.fingerprint
        assert metrics["loss"].n == log.steps
