"""Training objectives: a batch of weighted examples to one scalar loss.

Every example has a weight, and a soft label: the probability that it is right, which for a pair means that the chosen
answer is the better one. A loss is the weighted mean over its batch, so a weight of 2 is the same as the example
standing there twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from whetstone.core.errors import ConfigError
from whetstone.core.types import Prompt
from whetstone.loops.trainable import Trainable


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A completion to imitate. `label` below 1 mixes in unlikelihood: 0 means that it is known to be wrong."""

    prompt: Prompt
    completion: str
    weight: float = 1.0
    label: float = 1.0

    @property
    def sequences(self) -> tuple[tuple[Prompt, str], ...]:
        return ((self.prompt, self.completion),)


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to one question.

    `reference` holds their log-probabilities (nats, summed) under the frozen model; `gap` is how much more reward the
    chosen one has, for losses that aim at a reward difference.
    """

    prompt: Prompt
    chosen: str
    rejected: str
    weight: float = 1.0
    label: float = 1.0
    reference: tuple[float, float] | None = None
    gap: float = 0.0

    @property
    def sequences(self) -> tuple[tuple[Prompt, str], ...]:
        return ((self.prompt, self.chosen), (self.prompt, self.rejected))


Item = Demonstration | Preference
Loss = Literal["dpo", "ipo", "reward"]
Objective = Callable[[Trainable, Sequence[Item]], Tensor]


def likelihood(model: Trainable, batch: Sequence[Item]) -> Tensor:
    """Weighted negative log-likelihood, the mean over completion tokens (nats).

    With p the probability of a token and q the example's label, a token costs -q log p - (1 - q) log(1 - p); the second
    term is the unlikelihood of Welleck et al., "Neural Text Generation with Unlikelihood Training" (eq. 4).
    """
    items = [item for item in batch if isinstance(item, Demonstration)]
    logprobs, mask = model.logprobs([(item.prompt, item.completion) for item in items])
    weight = _column([item.weight for item in items], logprobs)[:, None] * mask
    losses = -logprobs
    if any(item.label < 1 for item in items):
        label = _column([item.label for item in items], logprobs)[:, None]
        losses = label * losses - (1 - label) * _log_complement(logprobs)
    return (losses * weight).sum() / weight.sum()


def preference(*, beta: float = 0.1, nll: float = 0.0, loss: Loss = "dpo") -> Objective:
    """A direct preference objective; demonstrations among the items are trained by `likelihood`.

    With lr the log-ratio to the reference, d = lr(chosen) - lr(rejected), and q the pair's label:

        dpo       -q log s(beta d) - (1 - q) log s(-beta d)
        ipo        q (d - 1/(2 beta))^2 + (1 - q) (d + 1/(2 beta))^2
        reward     (beta d - gap)^2, whose optimum is the policy that is best for the reward under a KL penalty of beta

    to which `nll` adds that multiple of the chosen answer's mean negative log-likelihood per token. A label below 1 is
    the label smoothing of cDPO and the consistency weight of CREAM; at the reference a label of 0.5 has no gradient.

    Args:
        beta: strength of the pull to the reference, per nat.
        nll: weight of the likelihood term (1 in ScPO and iterative reasoning preference optimization).
        loss: "dpo" (Rafailov et al., eq. 7), "ipo" (Azar et al., eq. 17, on summed log-probabilities), or "reward"
            ("Self-Improvement in Language Models: The Sharpening Mechanism", RLHF-Sharpening; it takes no labels).

    Raises:
        ConfigError: a pair comes without reference log-probabilities.
    """

    def objective(model: Trainable, batch: Sequence[Item]) -> Tensor:
        pairs = [item for item in batch if isinstance(item, Preference)]
        if not pairs:
            return likelihood(model, batch)
        if any(pair.reference is None for pair in pairs):
            raise ConfigError("a preference pair has no reference log-probabilities; fill them with with_reference()")
        texts = [(pair.prompt, pair.chosen) for pair in pairs] + [(pair.prompt, pair.rejected) for pair in pairs]
        logprobs, mask = model.logprobs(texts)
        chosen, rejected = (logprobs * mask).sum(1).chunk(2)
        shift = [pair.reference[0] - pair.reference[1] for pair in pairs if pair.reference is not None]
        difference = chosen - rejected - _column(shift, logprobs)
        label = _column([pair.label for pair in pairs], logprobs)
        if loss == "reward":
            losses = (beta * difference - _column([pair.gap for pair in pairs], logprobs)) ** 2
        else:
            losses = _pair_loss(difference, label, beta, loss)
        if nll:
            losses = losses - nll * chosen / mask[: len(pairs)].sum(1)
        weight = _column([pair.weight for pair in pairs], logprobs)
        return (losses * weight).sum() / weight.sum()

    return objective


def _pair_loss(difference: Tensor, label: Tensor, beta: float, loss: Loss) -> Tensor:
    if loss == "dpo":
        return -label * logsigmoid(beta * difference) - (1 - label) * logsigmoid(-beta * difference)
    margin = 1 / (2 * beta)
    return label * (difference - margin) ** 2 + (1 - label) * (difference + margin) ** 2


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def _log_complement(logprobs: Tensor) -> Tensor:
    """log(1 - p) from log p, held off the pole at p = 1."""
    bounded = logprobs.clamp(max=-1e-6)
    return torch.where(bounded > -0.6931, torch.log(-torch.expm1(bounded)), torch.log1p(-torch.exp(bounded)))
