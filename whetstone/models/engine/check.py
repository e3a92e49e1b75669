"""Choosing the network of a model, and making sure that it computes what the model computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from whetstone.core.errors import ModelError
from whetstone.models.engine.llama import LlamaNetwork, fits
from whetstone.models.engine.network import Network, TransformersNetwork
from whetstone.models.engine.prompted import Prefill, Prompted


def network_of(model: Any) -> Network:
    """The fastest network that reproduces the model's own logits.

    Raises:
        ModelError: none does; the architecture has no standard key-value cache.
    """
    candidates: list[type[LlamaNetwork] | type[TransformersNetwork]] = [LlamaNetwork] if fits(model) else []
    for kind in (*candidates, TransformersNetwork):
        network = kind(model)
        if deviation(network, model) < (1e-3 if model.dtype == torch.float32 else 0.3):
            return network
    raise ModelError(f"{type(model).__name__} has no standard key-value cache; Whetstone cannot sample from it")


@torch.inference_mode()
def deviation(network: Network, model: Any) -> float:
    """Largest difference of logits from the model's own, over ragged rows, in standard deviations of the logits.

    Every way of reading is tried: prompts, continuations of several tokens, and single steps.
    """
    generator = torch.Generator().manual_seed(0)
    sizes = [2, 4, 3]
    ids = torch.randint(model.config.get_text_config().vocab_size, (3, 8), generator=generator).to(model.device)
    wanted = model(input_ids=ids).logits.float()
    lengths = torch.tensor(sizes, device=model.device)
    # the first prompt is that of two rows, which share it where the cache can
    rows = torch.tensor([0, 1, 2, 0], device=model.device)
    try:
        after, past = network.prefill(ids[:, :4], lengths)
        following = torch.stack([ids[i, n : n + 3] for i, n in enumerate(sizes)])
        further = network.extend(past, lengths, following, torch.zeros_like(following))
        prefill = Prefill(after, past)
        prompts = [Prompted((), (0,) * n, 4 if row == 0 else 1, prefill, row) for row, n in enumerate(sizes)]
        cache = network.cache(past, 4)
        cache.enter(np.arange(4), [prompts[i] for i in rows.tolist()], prefill)
        steps = [network.step(cache, following[rows, i]) for i in range(3)]
    except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, NotImplementedError):
        return float("inf")
    pairs: list[tuple[Tensor, Tensor]] = [(after, wanted[rows[:3], lengths - 1])]
    for i in range(3):
        target = wanted[rows, lengths[rows] + i]
        pairs += [(further[:, i], target[:3]), (steps[i], target)]
    worst = max(float((a - b).abs().max()) for a, b in pairs)
    return worst / max(float(wanted.std()), 1e-6)
