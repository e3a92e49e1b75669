from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from whetstone.core.types import Sample, Sampling, Score, user
from whetstone.models.engine import score
from whetstone.models.engine.pages import PAGE, Pages
from whetstone.models.transformers import TransformersModel


def many_of_few(seed: int) -> list[Sample]:
    """Up to forty samples each of prompts of zero to three whole pages and a rest."""
    rng = random.Random(seed)
    requests = []
    for count in (1, 3, 4, 17, 40):
        prompt = user("Q" + "".join(rng.choice("abc+-0123456789") for _ in range(rng.randrange(3 * PAGE))))
        for i in range(count):
            most = rng.choice([1, 5, 2 * PAGE, 3 * PAGE])
            requests.append(Sample(prompt, Sampling(seed=seed + i, max_tokens=most, logprobs=0)))
    rng.shuffle(requests)
    return requests


@pytest.mark.parametrize("slots", [5, 33, 256])
@pytest.mark.parametrize("kv_heads", [1, 2])
def test_samples_that_share_a_prompt_are_those_sampled_alone(tiny, kv_heads, slots):
    """Same tokens; log-probabilities within 1e-5 in float32."""
    net, tokenizer = tiny.llama(kv_heads=kv_heads), tiny.character_tokenizer()
    requests = many_of_few(slots)
    together = tiny.ask(TransformersModel.of(net, tokenizer, slots=slots), requests)
    model = TransformersModel.of(net, tokenizer)
    for request, reply in zip(requests, together, strict=True):
        (alone,) = tiny.ask(model, [request])
        assert (reply.text, reply.finish, reply.usage) == (alone.text, alone.finish, alone.usage)
        for first, second in zip(reply.tokens, alone.tokens, strict=True):
            assert abs(first.logprob - second.logprob) < 1e-5


def test_a_prompt_is_held_once_for_sixteen_rows_and_given_back(tiny, model):
    session = model.open()
    prompt = user("Q" * (2 * PAGE + 1))
    for i in range(32):
        session.put(i, Sample(prompt, Sampling(seed=i, max_tokens=PAGE)))
    done = session.poll()
    cache = session.decoder.cache
    assert cache.shared.taken == 2 * 3
    assert cache.own.taken <= 32
    while len(done) < 32:
        done += session.poll()
    assert cache.shared.taken == cache.own.taken == 0
    assert not cache.open


def test_a_single_sample_has_its_prompt_in_its_own_pages(tiny, model):
    session = model.open()
    session.put(0, Sample(user("Q" * PAGE), Sampling(seed=1, max_tokens=2)))
    session.poll()
    assert session.decoder.cache.shared.used.size == 0


def test_pages_move_together_when_many_lie_idle():
    pages = Pages([(torch.zeros(1, 2, 1, 4), torch.zeros(1, 2, 1, 4))])
    taken = pages.take(8)
    pages.data[:] = torch.arange(8.0).view(8, 1, 1, 1)
    assert pages.compact() is None
    pages.free(taken[[0, 1, 2, 4]])
    numbers = pages.compact()
    assert numbers[[3, 5, 6, 7, -1]].tolist() == [3, 0, 1, 2, -1]
    assert pages.data[0, 0, :4, 0, 0, 0].tolist() == [5, 6, 7, 3]
    assert (pages.count, pages.taken) == (4, 4)
    assert pages.take(2).tolist() == [4, 5]
    assert np.flatnonzero(pages.used).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("make", ["llama", "gpt2"])
@pytest.mark.parametrize("width", [1, 7, 256])
def test_continuations_side_by_side_score_as_each_alone(tiny, make, width, monkeypatch):
    """Within 1e-5 in float32, however many follow one copy of their prompt."""
    tokenizer = tiny.character_tokenizer() if make == "llama" else tiny.byte_tokenizer()
    model = TransformersModel.of(getattr(tiny, make)(), tokenizer)
    prompts = [user("Q" + "cab" * n) for n in (1, 5, 9)]
    requests = [Score(prompt, text) for text in ("Y", "", "c-7=56", "a", "b+0=53a-1") for prompt in prompts]
    alone = [tiny.ask(model, [request])[0] for request in requests]
    monkeypatch.setattr(score, "WIDTH", width)
    for reply, wanted in zip(tiny.ask(model, requests), alone, strict=True):
        assert reply.text == wanted.text
        found = [token.logprob for token in reply.tokens]
        assert found == pytest.approx([token.logprob for token in wanted.tokens], abs=1e-5)
