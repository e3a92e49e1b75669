"""One training phase: batches of like length, a seeded order, linear decay, clipped gradients."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch

from whetstone.core.errors import ConfigError, ModelError
from whetstone.core.types import Prompt
from whetstone.loops.objectives import Item, Objective, Preference
from whetstone.loops.trainable import Trainable

CLIP = 1.0


@dataclass(frozen=True, slots=True)
class TrainLog:
    """What a training phase did. `tokens` counts prompt and completion, without padding; losses are per step."""

    steps: int
    tokens: int
    seconds: float
    losses: tuple[float, ...]


def train(
    model: Trainable,
    items: Sequence[Item],
    objective: Objective,
    *,
    lr: float,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    seed: int = 0,
) -> TrainLog:
    """Train on weighted items and tell the model that it has changed.

    The rate falls linearly from `lr` to 0 with a fresh optimizer; gradients are clipped to norm 1. An objective is the
    weighted mean of its batch; each batch counts by its mean weight, so weights mean the same across batches. Items
    without weight are left out. The same items, seed and machine give the same weights.

    Args:
        tokens_per_batch: cap on a batch's tokens, padding included; a longer item is a batch of its own.

    Raises:
        ConfigError: a weight is negative, or a label outside 0 to 1.
        ModelError: the loss is not a number any more; the weights are those of the last good step.
    """
    if any(item.weight < 0 or not 0 <= item.label <= 1 for item in items):
        raise ConfigError("a training item has a negative weight or a label outside 0 to 1")
    items = [item for item in items if item.weight > 0]
    began, rng = time.monotonic(), Random(seed)
    lengths = [[model.encode_length(*sequence) for sequence in item.sequences] for item in items]
    schedule = [batch for _ in range(epochs) for batch in batches(items, lengths, tokens_per_batch, rng)]
    average = sum(item.weight for item in items) / max(1, len(items))
    optimizer, parameters = model.optimizer(lr=lr), model.parameters()
    losses: list[float] = []
    for step, batch in enumerate(schedule):
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 - step / len(schedule))
        loss = objective(model, batch)
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            raise ModelError(f"training diverged at step {step + 1} of {len(schedule)}: take an lr below {lr:g}")
        optimizer.zero_grad()
        (loss * (sum(item.weight for item in batch) / (len(batch) * average))).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
    if schedule:
        model.changed()
    return TrainLog(len(losses), epochs * sum(map(sum, lengths)), time.monotonic() - began, tuple(losses))


def batches(
    items: Sequence[Item], lengths: Sequence[Sequence[int]], tokens_per_batch: int, rng: Random
) -> Iterator[list[Item]]:
    """One epoch: items of one kind and like length together, in random order."""
    order = sorted(range(len(items)), key=lambda i: (type(items[i]).__name__, max(lengths[i]), rng.random()))
    groups: list[list[int]] = []
    for i in order:
        group = groups[-1] if groups else []
        padded = (len(group) + 1) * max(lengths[i]) * len(lengths[i])
        if not group or type(items[group[0]]) is not type(items[i]) or padded > tokens_per_batch:
            groups.append([i])
        else:
            group.append(i)
    rng.shuffle(groups)
    for group in groups:
        yield [items[i] for i in group]


def log_likelihoods(
    model: Trainable, sequences: Sequence[tuple[Prompt, str]], *, tokens_per_batch: int = 8192
) -> list[tuple[float, int]]:
    """Summed log-probability (nats) and number of tokens of each completion, under the model as it is now."""
    lengths = [model.encode_length(*sequence) for sequence in sequences]
    out = [(0.0, 0)] * len(sequences)
    group: list[int] = []
    order = sorted(range(len(sequences)), key=lengths.__getitem__)
    for place, i in enumerate(order):
        group.append(i)
        following = lengths[order[place + 1]] if place + 1 < len(order) else tokens_per_batch
        if (len(group) + 1) * following > tokens_per_batch:
            with torch.no_grad():
                logprobs, mask = model.logprobs([sequences[j] for j in group])
            totals, counts = (logprobs * mask).sum(1).tolist(), mask.sum(1).tolist()
            for j, total, count in zip(group, totals, counts, strict=True):
                out[j] = (total, int(count))
            group = []
    return out


def with_reference(model: Trainable, pairs: Sequence[Preference]) -> list[Preference]:
    """The pairs with their log-probabilities under the model as it is now, the reference of the coming phase."""
    found = log_likelihoods(model, [sequence for pair in pairs for sequence in pair.sequences])
    return [
        replace(pair, reference=(chosen, rejected))
        for pair, (chosen, _), (rejected, _) in zip(pairs, found[::2], found[1::2], strict=True)
    ]
