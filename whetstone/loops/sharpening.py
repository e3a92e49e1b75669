"""Sharpening: train so that one answer is as good, by the model's own likelihood, as the best of many.

Left out: adaptive sampling, and the exploration bonus of the online variant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random
from typing import Literal

from whetstone.core.flow import Runner
from whetstone.core.registry import method
from whetstone.core.types import Alarm, Finding, Round, Task
from whetstone.loops._measure import describe, training
from whetstone.loops._rollout import Group, Questions
from whetstone.loops._round import Turn, held_out
from whetstone.loops._sampler import Sampler
from whetstone.loops._select import Rule, select
from whetstone.loops._train import log_likelihoods, train, with_reference
from whetstone.loops.objectives import Demonstration, Item, Preference, preference
from whetstone.loops.trainable import Trainable
from whetstone.stats.estimate import finding
from whetstone.stats.intervals import mean

Rewards = list[list[float]]


@method(
    "loop",
    papers=("Self-Improvement in Language Models: The Sharpening Mechanism",),
    checked="tests/loops/test_sharpening.py::test_greedy_reward_rises_to_that_of_best_of_n",
)
def sharpening(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    rounds: int = 1,
    questions: int = 400,
    k: int = 8,
    mode: Literal["sft", "rlhf"] = "sft",
    beta: float = 0.1,
    per_token: bool = False,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    audited: bool = False,
    seed: int = 0,
) -> Iterator[Round]:
    """Train towards the answers that the model itself finds likeliest; needs no labels and no judge.

    Args:
        rounds, questions, k: rounds (each with the model so far as its base), questions a round, samples a question at
            temperature 1.
        mode: "sft" imitates the best of k; "rlhf" fits beta times the difference of log-ratios to the difference of
            rewards, on pairs of different answers.
        beta: strength of the KL penalty in "rlhf".
        per_token: reward the mean log-probability per token instead of the sum.
        lr: learning rate; None for the model's own.
        monitor, audited: as in `expert_iteration`.

    Yields:
        A `Round` with, on monitored questions and by the base's own log-probabilities (nats): `before/greedy_reward`,
        `greedy_reward`, `best_of_k_reward`; and `log_coverage`, the mean of -log p(best of k | question), with each
        question's value in its detail. The larger it is, the more samples sharpening needs.

    Source: sections 2 and 3 of the paper; equations 1 to 6.
    """
    rate, pool, rule = model.learning_rate if lr is None else lr, Questions(task, seed=seed), Rule("majority")
    sampler, greedy = Sampler(task, rule, k, 1.0), Sampler(task, rule, 1, 0.0)
    watched = held_out(task, monitor, seed)
    for index in range(1, rounds + 1):
        turn, rng, base = Turn(index, runner), Random(f"{seed}/{index}"), model.state()
        metrics: dict[str, Finding] = {}
        if watched:
            first, many = greedy.sample(turn, "greedy before", watched), sampler.sample(turn, "before", watched)
            metrics["before/greedy_reward"] = mean_best("greedy_reward", rewards(model, first, per_token))
            metrics["best_of_k_reward"] = mean_best("best_of_k_reward", rewards(model, many, per_token))
            metrics["log_coverage"] = coverage(rewards(model, many, False))
        groups = sampler.sample(turn, "sample", pool.take(pool.levels, questions))
        metrics |= {f"train/{name}": f for name, f in describe(groups, select(groups, task, rule)).items()}
        values, order = rewards(model, groups, per_token), rng.randrange(2**31)
        items: Sequence[Item] = imitate(groups, values)
        if mode == "rlhf":
            items = with_reference(model, contrast(groups, values, rng))
        seen = sum(len(group.candidates) for group in groups)
        if not items:
            alarm = Alarm("stop_rule", "all samples of every question are the same: nothing to sharpen", stop=True)
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=[alarm])
            return
        loss = preference(beta=beta, loss="reward")
        log = train(model, items, loss, lr=rate, epochs=epochs, tokens_per_batch=tokens_per_batch, seed=order)
        metrics |= training(log) | sampler.monitor(turn, "after", watched, audited=audited)
        if watched:
            final, sharp = greedy.sample(turn, "greedy after", watched), model.state()
            model.load_state(base)
            metrics["greedy_reward"] = mean_best("greedy_reward", rewards(model, final, per_token))
            model.load_state(sharp)
        yield turn.end(model, seen=seen, kept=len(items), metrics=metrics)


def rewards(model: Trainable, groups: Sequence[Group], per_token: bool) -> Rewards:
    """Log-probability of each sample (nats) under the model as it is, summed or per token."""
    texts = [(group.example.prompt, candidate.text) for group in groups for candidate in group.candidates]
    found = iter(log_likelihoods(model, texts))
    return [[t / n if per_token else t for t, n in islice(found, len(group.candidates))] for group in groups]


def imitate(groups: Sequence[Group], values: Rewards) -> list[Demonstration]:
    """The best sample of each question."""
    best = [max(range(len(row)), key=row.__getitem__) for row in values]
    return [Demonstration(g.example.prompt, g.candidates[i].text) for g, i in zip(groups, best, strict=True)]


def contrast(groups: Sequence[Group], values: Rewards, rng: Random) -> list[Preference]:
    """The best sample of each question against another one, with the difference of their rewards."""
    pairs = []
    for group, row in zip(groups, values, strict=True):
        best = max(range(len(row)), key=row.__getitem__)
        others = [i for i in range(len(row)) if group.candidates[i].text != group.candidates[best].text]
        if others:
            other = rng.choice(others)
            chosen, rejected = group.candidates[best].text, group.candidates[other].text
            pairs.append(Preference(group.example.prompt, chosen, rejected, gap=row[best] - row[other]))
    return pairs


def mean_best(name: str, values: Rewards) -> Finding:
    """Mean over questions of the best reward."""
    return finding(name, mean([max(row) for row in values]))


def coverage(values: Rewards) -> Finding:
    """Mean of -log p(best sample), and its value for each question."""
    logs = [-max(row) for row in values]
    return finding("log_coverage", mean(logs), per_question=logs, coverage=sum(map(math.exp, logs)) / len(logs))
