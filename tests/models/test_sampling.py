from __future__ import annotations

import math

import numpy as np
import torch

from whetstone.models.engine.sampling import choose, measures, streams, uniforms


def draws(logits, n=20_000, **controls):
    logprobs = torch.log_softmax(torch.tensor(logits), -1).expand(n, -1)
    uniform = torch.from_numpy(uniforms(streams(np.arange(n, dtype=np.uint64)), np.zeros(n, np.int64)))
    settings = {"temperature": None, "top_k": None, "top_p": None}
    settings |= {name: torch.full((n,), value) for name, value in controls.items()}
    return torch.bincount(choose(logprobs, uniform, **settings), minlength=len(logits)) / n


def test_frequencies_are_the_probabilities():
    logits = [1.0, 0.0, -1.0, 2.0]
    wanted = torch.softmax(torch.tensor(logits), -1)
    assert torch.allclose(draws(logits), wanted, atol=0.015)


def test_temperature():
    logits = [1.0, 0.0, -1.0, 2.0]
    wanted = torch.softmax(torch.tensor(logits) / 0.5, -1)
    assert torch.allclose(draws(logits, temperature=0.5), wanted, atol=0.015)


def test_greedy_takes_the_first_of_the_best():
    assert draws([1.0, 3.0, 3.0], temperature=0.0)[1] == 1.0


def test_top_k_keeps_the_likeliest():
    found = draws([1.0, 0.0, -1.0, 2.0], top_k=2)
    wanted = torch.softmax(torch.tensor([1.0, 2.0]), -1)
    assert torch.allclose(found, torch.tensor([wanted[0], 0.0, 0.0, wanted[1]]), atol=0.015)


def test_top_k_beyond_the_vocabulary_keeps_all():
    assert (draws([1.0, 0.0], top_k=50) > 0).all()


def test_top_p_keeps_the_smallest_set_that_reaches_it():
    logits = [math.log(p) for p in (0.5, 0.3, 0.15, 0.05)]
    assert torch.allclose(draws(logits, top_p=0.7), torch.tensor([0.625, 0.375, 0.0, 0.0]), atol=0.015)
    assert draws(logits, top_p=0.0001)[0] == 1.0


def test_impossible_tokens_are_never_drawn():
    found = draws([-math.inf, 0.0, -math.inf, 0.0, -math.inf])
    assert found[[0, 2, 4]].sum() == 0


def test_rows_keep_their_own_settings():
    logprobs = torch.log_softmax(torch.tensor([[0.0, 1.0, 0.9]]), -1).expand(3, -1)
    uniform = torch.tensor([0.01, 0.01, 0.99])
    chosen = choose(logprobs, uniform, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0, 0, 2]), None)
    assert chosen.tolist() == [1, 0, 2]


def test_streams_are_uniform_and_unrelated():
    n = 20_000
    steps = np.arange(n)
    first = uniforms(np.repeat(streams(np.array([7], np.uint64)), n), steps)
    second = uniforms(np.repeat(streams(np.array([8], np.uint64)), n), steps)
    assert (first > 0).all()
    assert (first < 1).all()
    assert abs(np.histogram(first, 20, (0, 1))[0] / n - 0.05).max() < 0.007
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03


def test_measures():
    logprobs = torch.log(torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]))
    logprob, entropy, certainty = measures(logprobs, torch.tensor([1, 0]))
    assert torch.allclose(logprob, torch.tensor([math.log(0.25), 0.0]))
    assert torch.allclose(entropy, torch.tensor([1.5 * math.log(2), 0.0]))
    by_hand = sum(math.log((1 / 3) / p) / 3 for p in (0.5, 0.25, 0.25))
    assert math.isclose(certainty[0], by_hand, rel_tol=1e-5)
