"""What the rounds of all loops have in common: monitoring, training, replaying, accounting."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import TypeVar

from whetstone.core.errors import ConfigError
from whetstone.core.flow import Driven, Flow, Runner
from whetstone.core.types import Alarm, Example, Finding, Round, Task
from whetstone.loops._measure import training
from whetstone.loops._train import train
from whetstone.loops.objectives import Demonstration, likelihood
from whetstone.loops.trainable import Trainable

T = TypeVar("T")


@dataclass
class Turn:
    """One round being made: a `Runner` that names its phases after the round and counts what they cost."""

    index: int
    runner: Runner
    tokens: int = 0
    flows: int = 0
    failures: int = 0
    began: float = field(default_factory=time.monotonic)

    def __call__(self, name: str, flows: Mapping[str, Flow[T]]) -> Driven[T]:
        driven = self.runner(f"round{self.index}/{name}", flows)
        self.tokens += driven.ledger.total
        self.flows += len(driven.results) + len(driven.failures)
        self.failures += len(driven.failures)
        return driven

    def end(
        self, model: Trainable, *, seen: int, kept: int, metrics: Mapping[str, Finding], alarms: Sequence[Alarm] = ()
    ) -> Round:
        """The finished round. `snapshot` is the fingerprint of the weights that it ended with."""
        failed = {"failures": Finding("failures", float(self.failures), None, self.flows)} if self.failures else {}
        seconds = time.monotonic() - self.began
        return Round(
            self.index, seen, kept, {**metrics, **failed}, tuple(alarms), model.fingerprint, self.tokens, seconds
        )


def held_out(task: Task, n: int, seed: int) -> list[Example]:
    """The first `n` questions of the dev split."""
    return list(islice(task.examples("dev", n=n, seed=seed), n)) if n else []


def before(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    """Findings on the weights before the first round, under names of their own."""
    return {f"before/{name}": finding for name, finding in findings.items()}


def imitated(
    model: Trainable,
    items: Sequence[Demonstration],
    turn: Turn,
    rng: Random,
    *,
    rounds: int,
    lr: float | None,
    tokens_per_batch: int,
) -> dict[str, Finding]:
    """One of `rounds` supervised phases, each of which begins at a lower rate than the one before.

    Args:
        lr: learning rate of the first round, from which it falls linearly; None for the model's own.
    """
    rate = (model.learning_rate if lr is None else lr) * (1 - (turn.index - 1) / rounds)
    seed = rng.randrange(2**31)
    return training(train(model, items, likelihood, lr=rate, tokens_per_batch=tokens_per_batch, seed=seed))


def with_replay(
    new: Sequence[Demonstration],
    earlier: Sequence[Demonstration],
    roles: Sequence[Demonstration],
    share: float,
    rng: Random,
) -> list[Demonstration]:
    """The new items and remembered ones, drawn without repetition, that make up `share` of all.

    Half of what is remembered are earlier answers and half other roles, as far as there are as many. Each weighs as
    much as the mean new item.

    Raises ConfigError for a share that is not below 1.
    """
    if not 0 <= share < 1:
        raise ConfigError(f"replay is {share:g}; it is a share of the training items, below 1")
    wanted = round(len(new) * share / (1 - share))
    some = min(len(roles), max(wanted // 2, wanted - len(earlier)))
    chosen = rng.sample(list(roles), some) + rng.sample(list(earlier), min(len(earlier), wanted - some))
    weight = sum(item.weight for item in new) / max(1, len(new))
    return [*new, *(replace(item, weight=weight) for item in chosen)]
