"""Log-probabilities of given continuations (teacher forcing)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from whetstone.core.errors import ModelError
from whetstone.core.types import Generation, Reply, Score, Token, Usage
from whetstone.models.engine.network import Network
from whetstone.models.engine.prompted import Prefill, Prompted
from whetstone.models.engine.sampling import measures
from whetstone.models.text import TextCodec

CELLS = 1 << 25
"""Most numbers (logits; keys and values of one layer) that one pass may hold."""


@dataclass(slots=True, eq=False)
class ScoreJob:
    """A `Score` whose continuation is tokenised."""

    ticket: int
    request: Score
    prompted: Prompted
    ids: tuple[int, ...]


def score(network: Network, codec: TextCodec, jobs: Sequence[ScoreJob]) -> list[tuple[int, Reply | Exception]]:
    """Answer jobs whose prompts were read.

    The first token of a continuation needs no pass: its distribution is the one after the prompt. Longer ones of
    like length are read side by side, after copies of their prompts' keys and values.
    """
    groups: dict[int, list[ScoreJob]] = {}
    for job in jobs:
        groups.setdefault(id(job.prompted.prefill), []).append(job)
    done: list[tuple[int, Reply | Exception]] = []
    for group in groups.values():
        prefill = group[0].prompted.prefill
        assert prefill is not None
        group.sort(key=lambda job: len(job.ids))
        key = prefill.past[0][0]
        while group:
            take = 1
            while take < len(group):
                width = len(group[take].ids)
                cells = max(width * prefill.logits.shape[1], (key.shape[2] + width) * key.shape[1] * key.shape[3])
                if (take + 1) * cells > CELLS:
                    break
                take += 1
            done += _score(network, codec, prefill, group[:take])
            group = group[take:]
    return done


def _score(
    network: Network, codec: TextCodec, prefill: Prefill, jobs: Sequence[ScoreJob]
) -> list[tuple[int, Reply | Exception]]:
    """One pass. Continuations are padded on the right to the longest, which is the last."""
    device = prefill.logits.device
    rows = torch.tensor([job.prompted.row for job in jobs], device=device)
    width = max(len(jobs[-1].ids), 1)
    targets = torch.tensor([(*job.ids, *[0] * (width - len(job.ids))) for job in jobs], device=device)
    logits = prefill.logits[rows][:, None]
    if width > 1:
        lengths = torch.tensor([len(job.prompted.ids) for job in jobs], device=device)
        span = int(lengths.max())
        past = [(key[rows, :, :span], value[rows, :, :span]) for key, value in prefill.past]
        logits = torch.cat([logits, network.extend(past, lengths, targets[:, :-1])], 1)
    numbers = measures(torch.log_softmax(logits, -1), targets).cpu().numpy()
    done: list[tuple[int, Reply | Exception]] = []
    for i, job in enumerate(jobs):
        text, count = job.request.continuation, len(job.ids)
        columns = numbers[:, i, :count].tolist()
        if any(map(math.isnan, columns[0])):
            done.append((job.ticket, ModelError("the model's logits are not numbers; its weights have diverged")))
            continue
        tokens = tuple(
            Token(share, logprob, (), entropy, certainty)
            for share, logprob, entropy, certainty in zip(codec.split(job.ids, text), *columns, strict=True)
        )
        done.append((job.ticket, Generation(text, tokens, "stop", Usage(len(job.prompted.ids), count))))
    return done
