"""Log-probabilities of given continuations (teacher forcing)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from whetstone.core.errors import ModelError
from whetstone.core.types import Generation, Reply, Score, Token, Usage
from whetstone.models.engine.batches import batches
from whetstone.models.engine.network import Network
from whetstone.models.engine.prompted import Prefill, Prompted
from whetstone.models.engine.sampling import measures
from whetstone.models.text import TextCodec

CELLS = 1 << 25
"""Most numbers (logits; keys, values or mask of one layer) that one pass may hold."""
WIDTH = 256
"""Most tokens of continuations that follow one copy of their prompt, unless a single one is longer."""


@dataclass(slots=True, eq=False)
class ScoreJob:
    """A `Score` whose continuation is tokenised."""

    ticket: int
    request: Score
    prompted: Prompted
    ids: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Row:
    """Jobs of one prompt that are read side by side after its keys and values."""

    jobs: list[ScoreJob]
    width: int = 0


def score(network: Network, codec: TextCodec, jobs: Sequence[ScoreJob]) -> list[tuple[int, Reply | Exception]]:
    """Answer jobs whose prompts were read.

    The first token of a continuation needs no pass: its distribution is the one after the prompt. The other tokens of
    all continuations of a prompt follow one copy of its keys and values, prompts of like need in one pass.
    """
    groups: dict[int, list[ScoreJob]] = {}
    for job in jobs:
        groups.setdefault(id(job.prompted.prefill), []).append(job)
    done: list[tuple[int, Reply | Exception]] = []
    for group in groups.values():
        prefill = group[0].prompted.prefill
        assert prefill is not None
        rows = sorted(_rows(group), key=lambda row: row.width)
        for batch in batches(rows, partial(_cells, prefill), CELLS):
            done += _score(network, codec, prefill, batch)
    return done


def _cells(prefill: Prefill, row: Row) -> int:
    """The most numbers that a row takes at a time."""
    key = prefill.past[0][0]
    attended = (key.shape[2] + row.width) * max(key.shape[1] * key.shape[3], row.width)
    return max(row.width * prefill.logits.shape[1], attended)


def _rows(jobs: Sequence[ScoreJob]) -> list[Row]:
    rows: list[Row] = []
    last: dict[int, Row] = {}
    for job in jobs:
        row = last.get(id(job.prompted))
        width = max(len(job.ids) - 1, 0)
        if row is None or (row.width and row.width + width > WIDTH):
            row = last[id(job.prompted)] = Row([])
            rows.append(row)
        row.jobs.append(job)
        row.width += width
    return rows


def _score(
    network: Network, codec: TextCodec, prefill: Prefill, rows: Sequence[Row]
) -> list[tuple[int, Reply | Exception]]:
    """One pass. Rows are padded on the right to the widest, which is the last."""
    device, width = prefill.logits.device, rows[-1].width
    ids, branches = np.zeros((2, len(rows), width), np.int64)
    jobs: list[ScoreJob] = []
    places: list[int] = []
    targets: list[int] = []
    for i, row in enumerate(rows):
        at = 0
        for number, job in enumerate(row.jobs, 1):
            end = at + max(len(job.ids) - 1, 0)
            ids[i, at:end], branches[i, at:end] = job.ids[:-1], number
            first = len(prefill.logits) + i * width
            jobs.append(job)
            places += [job.prompted.row, *range(first + at, first + end)][: len(job.ids)]
            targets += job.ids
            at = end
    logits = prefill.logits
    if width:
        prompts = [row.jobs[0].prompted for row in rows]
        sources = [prompted.row for prompted in prompts]
        lengths = torch.tensor([len(prompted.ids) for prompted in prompts], device=device)
        span = int(lengths.max())
        past = [(key[sources, :, :span], value[sources, :, :span]) for key, value in prefill.past]
        inputs = (torch.from_numpy(array).to(device) for array in (ids, branches))
        logits = torch.cat([logits, network.extend(past, lengths, *inputs).flatten(0, 1)])
    logprobs = torch.log_softmax(logits[places], -1)
    numbers = measures(logprobs, torch.tensor(targets, device=device, dtype=torch.int64)).cpu().T.tolist()
    done: list[tuple[int, Reply | Exception]] = []
    at = 0
    for job in jobs:
        mine, at = numbers[at : at + len(job.ids)], at + len(job.ids)
        done.append((job.ticket, _answer(codec, job, mine)))
    return done


def _answer(codec: TextCodec, job: ScoreJob, numbers: Sequence[Sequence[float]]) -> Reply | Exception:
    if any(math.isnan(logprob) for logprob, _, _ in numbers):
        return ModelError("the model's logits are not numbers; its weights have diverged")
    text = job.request.continuation
    tokens = tuple(
        Token(share, logprob, (), entropy, certainty)
        for share, (logprob, entropy, certainty) in zip(codec.split(job.ids, text), numbers, strict=True)
    )
    return Generation(text, tokens, "stop", Usage(len(job.prompted.ids), len(job.ids)))
