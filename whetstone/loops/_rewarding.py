"""Samples with the model's own rewards, and what can be said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from whetstone.core.registry import load
from whetstone.core.types import Example, Finding, Signal, Task
from whetstone.loops._measure import Values, describe_samples, grade
from whetstone.loops._preferences import ranking_accuracy
from whetstone.loops._rollout import Group
from whetstone.loops._round import Turn
from whetstone.loops._sampler import Sampler
from whetstone.loops._train import log_likelihoods
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import clustered_mean


def rewarded(model: Trainable, sampler: Sampler, turn: Turn, phase: str, examples: Sequence[Example]) -> list[Group]:
    """Samples with their rewards: of the sampler's signal, or the mean log-likelihood per token."""
    groups = sampler.sample(turn, phase, examples)
    if sampler.rule.signal:
        return groups
    return [replace(group, rewards=tuple(row)) for group, row in zip(groups, likelihoods(model, groups), strict=True)]


def judged_again(model: Trainable, turn: Turn, task: Task, groups: Sequence[Group], signal: str) -> list[Group]:
    """The same samples with rewards of the model as it is now, none where the signal's flow failed."""
    if not signal:
        rows = likelihoods(model, groups)
        return [replace(group, rewards=tuple(row)) for group, row in zip(groups, rows, strict=True)]
    judge = load(signal, "signal")
    flows = {f"{i}": judge(task, group.example, group.candidates) for i, group in enumerate(groups)}
    found: Mapping[str, Sequence[Signal]] = turn("judge again", flows).results
    values = {i: tuple(signal.value for signal in signals) for i, signals in found.items()}
    return [replace(g, rewards=values.get(f"{i}", (None,) * len(g.candidates))) for i, g in enumerate(groups)]


def likelihoods(model: Trainable, groups: Sequence[Group]) -> list[list[float | None]]:
    """Mean log-likelihood per token (nats) of each sample."""
    texts = [(group.example.prompt, candidate.text) for group in groups for candidate in group.candidates]
    totals = iter(log_likelihoods(model, texts))
    return [[total / count for total, count in islice(totals, len(group.candidates))] for group in groups]


def report(groups: Sequence[Group], marks: Values) -> dict[str, Finding]:
    """Findings on samples and their rewards: proxy is the mean reward; against gold marks where there are any.

    Against gold marks also reward_gap, where the rewards are probabilities: the mean reward minus the share of right
    samples, paired by question.
    """
    known = [(g, reward) for g, group in enumerate(groups) for reward in group.rewards if reward is not None]
    found = describe_samples(groups) | (grade(groups, marks) if marks else {})
    if known:
        found["proxy"] = finding("proxy", clustered_mean([reward for _, reward in known], [g for g, _ in known]))
    judged = [
        (g, reward - mark)
        for g, (group, row) in enumerate(zip(groups, marks or (), strict=False))
        for reward, mark in zip(group.rewards, row, strict=True)
        if reward is not None and mark is not None
    ]
    if judged and all(0 <= reward <= 1 for _, reward in known):
        found["reward_gap"] = finding("reward_gap", clustered_mean([gap for _, gap in judged], [g for g, _ in judged]))
    accuracy = ranking_accuracy(groups, marks) if marks else None
    return found | ({"ranking_accuracy": accuracy} if accuracy else {})
