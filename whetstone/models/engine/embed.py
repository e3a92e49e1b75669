"""Vectors for prompts: the hidden state of a layer at the last token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from whetstone.core.errors import ModelError
from whetstone.core.types import Embedding, Usage
from whetstone.models.engine.batches import batches, padded
from whetstone.models.engine.prompts import PREFILL_TOKENS


@torch.inference_mode()
def embeddings(model: Any, items: Sequence[tuple[Sequence[int], int]]) -> list[Embedding | Exception]:
    """One vector for each (prompt ids, layer), prompts of like length together.

    Layer 0 is the input embedding, layer i the output of block i; negative ones count from the end, and -1 is what
    the output head reads. A layer that the model does not have gets a `ModelError`.
    """
    replies: list[Embedding | Exception] = [Embedding(())] * len(items)
    order = sorted(range(len(items)), key=lambda i: len(items[i][0]))
    for batch in batches(order, lambda i: len(items[i][0]), PREFILL_TOKENS):
        ids = padded([items[i][0] for i in batch], model.device)
        states = model(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states
        for row, i in enumerate(batch):
            prompt, layer = items[i]
            if not -len(states) <= layer < len(states):
                replies[i] = ModelError(f"the model has layers {-len(states)} to {len(states) - 1}, not {layer}")
                continue
            vector = states[layer][row, len(prompt) - 1].float().cpu().tolist()
            replies[i] = Embedding(tuple(vector), Usage(len(prompt), 0))
    return replies
