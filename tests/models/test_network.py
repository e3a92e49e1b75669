from __future__ import annotations

import numpy as np
import pytest
import torch

from whetstone.core.errors import ModelError
from whetstone.models.engine.batches import batches
from whetstone.models.engine.check import deviation, network_of
from whetstone.models.engine.llama import LlamaNetwork, fits
from whetstone.models.engine.network import TransformersNetwork
from whetstone.models.engine.prompted import Prefill, Prompted


@pytest.mark.parametrize("users", [1, 9])
@pytest.mark.parametrize("kv_heads", [1, 2])
def test_lean_llama_gives_the_same_logits(tiny, kv_heads, users):
    net = tiny.llama(kv_heads=kv_heads)
    for layer in net.model.layers:
        torch.nn.init.uniform_(layer.input_layernorm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(layer.post_attention_layernorm.weight, 0.5, 1.5)
    ids = torch.randint(48, (3, 20), generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([20, 7, 13])
    with torch.inference_mode():
        wanted = net(input_ids=ids).logits
        network = LlamaNetwork(net)
        after, past = network.prefill(ids, lengths)
        assert (after - wanted[torch.arange(3), lengths - 1]).abs().max() < 1e-5
        prefill = Prefill(after, past)
        prompts = [Prompted((), (0,) * int(n), users, prefill, row) for row, n in enumerate(lengths)]
        cache = network.cache(past, 3)
        rows = torch.tensor([2, 0, 1])
        cache.enter(np.arange(3), [prompts[row] for row in rows], prefill)
        news = torch.randint(48, (3, 5), generator=torch.Generator().manual_seed(1))
        whole = [torch.cat([ids[row, : lengths[row]], news[i]]) for i, row in enumerate(rows.tolist())]
        wanted = [net(input_ids=sequence[None]).logits[0, -5:] for sequence in whole]
        further = network.extend([(k[rows], v[rows]) for k, v in past], lengths[rows], news, torch.zeros_like(news))
        for step in range(5):
            found = network.step(cache, news[:, step])
            for row in range(3):
                assert (found[row] - wanted[row][step]).abs().max() < 1e-5
                assert (further[row, step] - wanted[row][step]).abs().max() < 1e-5


@pytest.mark.parametrize("make", ["llama", "gpt2", "qwen2"])
def test_any_cached_network_gives_the_same_logits(tiny, make):
    net = getattr(tiny, make)()
    assert deviation(TransformersNetwork(net), net) < 1e-4


def test_llama_is_read_lean_and_others_as_they_are(tiny):
    assert isinstance(network_of(tiny.llama()), LlamaNetwork)
    assert isinstance(network_of(tiny.qwen2()), TransformersNetwork)


def test_a_wrong_network_is_noticed(tiny):
    net, other = tiny.llama(0), tiny.llama(1)
    assert deviation(LlamaNetwork(other), net) > 0.1


def test_unusual_llamas_are_not_read_lean(tiny):
    net = tiny.llama()
    assert fits(net)
    net.config.rope_parameters["rope_type"] = "linear"
    assert not fits(net)


def test_a_network_without_cache_is_refused(tiny):
    class Forgetful(type(tiny.gpt2())):
        def forward(self, input_ids, attention_mask=None, position_ids=None, past_key_values=None, **options):
            return super().forward(input_ids=input_ids)

    torch.manual_seed(0)
    net = Forgetful(tiny.gpt2().config).eval()
    with pytest.raises(ModelError, match="no standard key-value cache"):
        network_of(net)


def test_batches_are_as_large_as_they_may_be_and_one_item_always_fits():
    assert list(batches([1, 2, 2, 3, 9], int, 6)) == [[1, 2, 2], [3], [9]]
    assert list(batches([], int, 6)) == []
