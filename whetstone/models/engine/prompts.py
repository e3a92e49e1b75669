"""Prompts that requests wait for: read in batches, each once, however many requests share it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from whetstone.core.types import Prompt
from whetstone.models.engine.batches import batches, padded
from whetstone.models.engine.network import Network
from whetstone.models.engine.prompted import Prefill, Prompted
from whetstone.models.text import TextCodec

PREFILL_TOKENS = 4096
"""Most tokens of prompts, with padding, that are read in one pass."""


class Prompts:
    """The prompts of one session."""

    def __init__(self, network: Network, codec: TextCodec, device: torch.device) -> None:
        self.network, self.codec, self.device = network, codec, device
        self.known: dict[Prompt, Prompted] = {}

    def find(self, prompt: Prompt) -> Prompted:
        """The prompt's entry; `hold` it for as long as a request needs it."""
        return self.known.get(prompt) or Prompted(prompt, self.codec.prompt(prompt))

    def hold(self, prompted: Prompted) -> None:
        """One more request needs it."""
        prompted.users += 1
        self.known[prompted.prompt] = prompted

    def release(self, prompted: Prompted) -> None:
        """One request less needs it; the last one frees its keys and values."""
        prompted.users -= 1
        if not prompted.users:
            prompted.prefill = None
            del self.known[prompted.prompt]

    def read(self, prompts: Iterable[Prompted]) -> None:
        """Read those that were not read yet, prompts of like length together."""
        unread = {id(p): p for p in prompts if p.prefill is None}
        fresh = sorted(unread.values(), key=lambda p: len(p.ids))
        for batch in batches(fresh, lambda p: len(p.ids), PREFILL_TOKENS):
            self._read(batch)

    def _read(self, batch: Sequence[Prompted]) -> None:
        lengths = torch.tensor([len(p.ids) for p in batch], device=self.device)
        prefill = Prefill(*self.network.prefill(padded([p.ids for p in batch], self.device), lengths))
        for row, prompted in enumerate(batch):
            prompted.prefill, prompted.row = prefill, row


def ahead(prompts: Iterable[Prompted]) -> list[Prompted]:
    """The first unread ones that fill one pass."""
    chosen: dict[int, Prompted] = {}
    tokens = 0
    for prompted in prompts:
        if prompted.prefill is None and id(prompted) not in chosen:
            tokens += len(prompted.ids)
            if chosen and tokens > PREFILL_TOKENS:
                break
            chosen[id(prompted)] = prompted
    return list(chosen.values())
