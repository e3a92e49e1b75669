"""Choosing the next token of every row at once, so that no row depends on its neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_STEP = np.uint64(0x9E3779B97F4A7C15)


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al. 2014, Fast splittable pseudorandom number generators, fig. 17)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def streams(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Start of the random stream of each request seed."""
    return mix(seeds + _STEP)


def uniforms(stream: NDArray[np.uint64], steps: NDArray[Any]) -> NDArray[np.float32]:
    """The number in (0, 1) of each row's stream at its step: SplitMix64 by position instead of by state.

    Args:
        stream: [rows], from `streams`.
        steps: [rows], tokens drawn so far.
    """
    bits = mix(stream + (steps.astype(np.uint64) + np.uint64(1)) * _STEP) >> np.uint64(41)
    return ((bits.astype(np.float64) + 0.5) * 2.0**-23).astype(np.float32)


def choose(
    logprobs: Tensor, uniform: Tensor, temperature: Tensor | None, top_k: Tensor | None, top_p: Tensor | None
) -> Tensor:
    """The next token of every row, by inverse CDF.

    Args:
        logprobs: [rows, vocabulary] at temperature 1.
        uniform: [rows] in (0, 1).
        temperature: [rows], 0 is greedy; None is 1 for all.
        top_k: [rows] of int64, 0 keeps all; None keeps all for all.
        top_p: [rows], the smallest set of likeliest tokens of this mass is kept; None is 1 for all.

    Returns:
        [rows] of int64.
    """
    scores = logprobs
    if temperature is not None:
        scores = logprobs / torch.where(temperature > 0, temperature, 1.0)[:, None]
    if top_k is not None:
        size = scores.shape[-1]
        rank = torch.where(top_k > 0, top_k, size).clamp(max=size) - 1
        least = scores.sort(-1, descending=True).values.gather(1, rank[:, None])
        scores = scores.masked_fill(scores < least, -math.inf)
    mass = torch.softmax(scores, -1) if scores is not logprobs else logprobs.exp()
    if top_p is not None:
        ordered, order = mass.sort(stable=True, dim=-1, descending=True)
        beyond = ordered.cumsum(-1) - ordered >= top_p[:, None]
        mass = mass.masked_fill(beyond.scatter(1, order, beyond), 0.0)
    edges = mass.cumsum(-1)
    drawn = (edges <= uniform[:, None] * edges[:, -1:]).sum(-1).clamp(max=mass.shape[-1] - 1)
    if temperature is None:
        return drawn
    return torch.where(temperature > 0, drawn, logprobs.argmax(-1))


def measures(logprobs: Tensor, chosen: Tensor) -> Tensor:
    """Log-probability of the chosen token, entropy and certainty (KL from uniform), in nats.

    Args:
        logprobs: [..., vocabulary].
        chosen: [...] token ids.

    Returns:
        [3, ...].
    """
    logprob = logprobs.gather(-1, chosen[..., None])[..., 0]
    entropy = torch.special.entr(logprobs.exp()).sum(-1)
    certainty = -logprobs.mean(-1) - math.log(logprobs.shape[-1])
    return torch.stack([logprob, entropy, certainty])
